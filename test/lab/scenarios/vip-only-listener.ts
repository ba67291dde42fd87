/**
 * Servers that listen on the VIP and nowhere else, as they may in DR and TUN: on their own address they refuse everybody,
 * alive or dead. Asked there, a server is never convicted; asked on the VIP, a dead one is at once.
 */
import { concerns, killVictim, setWatchedStage } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { direct, tunnel } from '../topologies.js';
import type { Topology } from '../topology.js';

/** A suspicion of DR comes after a tenth of a second, and the probe is answered at once; twenty times that. */
const tellLimitMs = 20_000;

const scenario = (name: string, method: string, topology: Topology): Scenario => ({
	name,
	sentence: `a ${method} server that listens on the VIP only is asked there, and convicted when it is dead, not before`,
	topology,
	ci: ['7'],
	limitMs: 300_000,
	async run(lab: Lab) {
		const victim = lab.server('r1');
		await Promise.all(lab.servers.map((server) => server.start()));
		const daemon = await lab.daemon({ mode: 'assist', probe: { method: 'connect' } });
		const traffic = lab.clients.start({ ratePerS: 20 });
		await lab.until('clients are served', tellLimitMs, () => traffic.totals().ok > 20);
		await victim.kill();
		const told = await daemon.journaled('that nothing is proven', tellLimitMs, concerns('cannot-confirm', victim));
		lab.note(told.sentence, told.bootMs);
		await traffic.stop();
		const weight = await lab.director.weight(victim.destination);
		lab.expect(weight === 100, 'asked on its own address, it keeps its weight', weight);
		lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
		await askedOnTheVip(lab);
	},
});

async function askedOnTheVip(lab: Lab): Promise<void> {
	await Promise.all(lab.servers.map((server) => server.kill()));
	const stage = await setWatchedStage(lab, { mode: 'assist' });
	const { daemon, traffic, victim } = stage;
	const early = (await daemon.journal()).filter(({ scenario }) => scenario === 'failed');
	lab.expect(early.length === 0, 'who lives is not convicted', early);
	const killedMs = await killVictim(lab, stage);
	const failed = await daemon.journaled('"failed"', tellLimitMs, concerns('failed', victim));
	lab.note(failed.sentence, failed.bootMs);
	lab.expect(failed.facts.probe === 'refused', 'the VIP was refused', failed);
	lab.fact('from the kill to the verdict, ms', Math.round(failed.bootMs - killedMs));
	await daemon.journaled('"quiesced"', tellLimitMs, concerns('quiesced', victim));
	await victim.start();
	await daemon.journaled('"given-back"', tellLimitMs, concerns('given-back', victim));
	const halfOpen = await lab.exec(victim.name, 'ss', '-Htn', 'state', 'syn-recv');
	lab.expect(halfOpen.trim() === '', 'no half-open connection is left on the server', halfOpen);
	await traffic.stop();
	lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
}

export default [
	scenario('vip-only-listener', 'DR', direct({ vipOnly: true })),
	scenario('vip-only-listener-tun', 'TUN', tunnel({ vipOnly: true })),
];
