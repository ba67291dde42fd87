/**
 * The story that ipvigil is about, told once for the demo and the scenarios: clients are served, a server's process is
 * killed, clients are refused, and (with ipvigil) the server is taken out and given back.
 */
import type { Daemon, DaemonConfig, Lab, RealServer, Totals, Traffic } from './scenario.js';

/** Until ipvigil acts: a probe and a write take under a second even when a busy machine emulates. */
const actLimitMs = 20_000;
/** Recovery is probed every 500 ms. */
const recoverLimitMs = 30_000;

export interface Stage {
	victim: RealServer;
	traffic: Traffic;
	daemon: Daemon | undefined;
}

/** All servers answer, clients come steadily, ipvigil (where asked for) observes with calibrated probes. */
export async function setStage(lab: Lab, config: DaemonConfig | undefined, ratePerS = 20): Promise<Stage> {
	await Promise.all(lab.servers.map((server) => server.start()));
	lab.note(
		`${lab.servers.length} real servers listen: ${lab.servers.map(({ destination }) => destination).join(', ')}`,
	);
	const daemon = config && (await lab.daemon(config));
	if (daemon) lab.note('ipvigil observes');
	const traffic = lab.clients.start({ ratePerS });
	await lab.until(
		'every server has answered',
		30_000,
		() => Object.keys(traffic.totals().by).length === lab.servers.length,
	);
	lab.note(
		`clients connect ${ratePerS} times a second from ${lab.topology.clients.addresses.length} networks; all are served`,
	);
	await daemon?.calibrated(lab.servers.map(({ destination }) => destination));
	lab.expect(traffic.failures.length === 0, 'no client fails while all servers stand', traffic.failures);
	return { victim: lab.server('r1'), traffic, daemon };
}

export async function killVictim(lab: Lab, { victim, traffic }: Stage): Promise<number> {
	const killedMs = lab.nowMs();
	await victim.kill();
	lab.note(`the process on ${victim.name} (${victim.destination}) is killed`, killedMs);
	const first = await lab.until('a client is refused', actLimitMs, () => traffic.failures[0]);
	lab.note(`the first client is refused (${first.from})`, first.atMs);
	return killedMs;
}

/** The journal's lines of the taking, as the timeline; fails unless the weight becomes 0. */
export async function awaitTaking(lab: Lab, { victim }: Stage, daemon: Daemon): Promise<number> {
	await lab.until(
		`weight of ${victim.destination} is 0`,
		actLimitMs,
		async () => (await lab.director.weight(victim.destination)) === 0,
	);
	for (const word of ['suspect', 'failed', 'quiesced']) {
		const line = await daemon.journaled(`"${word}" of ${victim.destination}`, 5_000, concerns(word, victim));
		lab.note(line.sentence, line.bootMs);
	}
	return (await daemon.journaled('"quiesced"', 0, concerns('quiesced', victim))).bootMs;
}

export async function awaitGivingBack(lab: Lab, { victim, traffic }: Stage, daemon: Daemon): Promise<void> {
	await victim.start();
	lab.note(`${victim.name} listens again`);
	const line = await daemon.journaled(
		`"given-back" of ${victim.destination}`,
		recoverLimitMs,
		concerns('given-back', victim),
	);
	lab.note(line.sentence, line.bootMs);
	const before = traffic.totals().by[victim.name] ?? 0;
	await lab.until(
		`clients reach ${victim.name} again`,
		recoverLimitMs,
		() => (traffic.totals().by[victim.name] ?? 0) > before,
	);
	const weight = await lab.director.weight(victim.destination);
	lab.expect(weight === 100, 'the weight is what it was', weight);
	lab.note(`weight ${weight} stands again and clients are served by ${victim.name}`);
}

/** Ends the traffic and says what it cost the clients. */
export async function count(lab: Lab, { traffic }: Stage): Promise<Totals> {
	const totals = await traffic.stop();
	lab.fact('connections tried', totals.started);
	lab.fact('clients refused', totals.refused);
	return totals;
}

function concerns(
	scenario: string,
	{ destination }: RealServer,
): (line: { scenario: string; destination?: string }) => boolean {
	return (line) => line.scenario === scenario && line.destination?.endsWith(` > ${destination}`) === true;
}
