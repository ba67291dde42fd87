/**
 * The story that ipvigil is about, told once for the demo and the scenarios: clients are served, a server's process is
 * killed, clients are refused, and (with ipvigil) the server is taken out and given back.
 */
import type { Daemon, DaemonConfig, Lab, RealServer, Totals, Traffic } from './scenario.js';

/** Until ipvigil acts: a probe and a write take under a second even when a busy machine emulates. */
const actLimitMs = 20_000;
/** How long a blind run waits for what must not come: twenty times what it takes with its signal. */
const blindLimitMs = 8_000;
/** Recovery is probed every 500 ms. */
const recoverLimitMs = 30_000;

/** Of 20 connections a second a third meets the dead server: 3 s of it are 20 refusals, and a health checker's usual round. */
const refusalsAllowed = 20;

export interface Stage {
	victim: RealServer;
	traffic: Traffic;
	daemon: Daemon | undefined;
}

/** A stage on which ipvigil was asked for. */
export type WatchedStage = Stage & { daemon: Daemon };

export async function setWatchedStage(lab: Lab, config: DaemonConfig, ratePerS?: number): Promise<WatchedStage> {
	const { daemon, ...stage } = await setStage(lab, config, ratePerS);
	lab.expect(daemon !== undefined, 'ipvigil was asked for');
	return { ...stage, daemon };
}

/** Sees and tells, and writes nothing. Blind, it does without the hooks inside IPVS. */
export function observing(lab: Lab): DaemonConfig {
	return { mode: 'observe', ...(lab.blind ? { attempts: 'wire' } : {}) };
}

/** The whole story, with everything that must hold in it, on a stage that is set. */
export async function tellRefusals(lab: Lab, stage: WatchedStage): Promise<void> {
	const { daemon, traffic } = stage;
	const killedMs = await killVictim(lab, stage);
	const quiescedMs = await awaitTaking(lab, stage, daemon);
	lab.fact('from the kill to weight 0, ms', Math.round(quiescedMs - killedMs));
	await lab.sleep(1_000);
	const late = traffic.failures.filter(({ atMs }) => atMs > quiescedMs + 1_000);
	lab.expect(late.length === 0, 'nobody is refused once the weight is 0', late);
	await awaitGivingBack(lab, stage, daemon);
	const totals = await count(lab, stage);
	lab.expect(totals.refused <= refusalsAllowed, `at most ${refusalsAllowed} clients are refused`, totals);
	const others = [...(await lab.director.weights())].filter(([, weight]) => weight !== 100);
	lab.expect(others.length === 0, 'every weight is what it was', others);
	const code = await daemon.stop();
	lab.expect(code === 0, 'ipvigil stops in order', { code, last: daemon.lines.slice(-5) });
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
	await daemon?.calibrated(probed(lab));
	lab.expect(traffic.failures.length === 0, 'no client fails while all servers stand', traffic.failures);
	return { victim: lab.server('r1'), traffic, daemon };
}

/** A probe speaks TCP, and to a port that is known beforehand. */
function probed({ topology, servers }: Lab): string[] {
	if (topology.protocol === 'udp') return [];
	return servers.map(({ destination }) => destination).filter((destination) => !destination.endsWith(':0'));
}

export async function killVictim(lab: Lab, { victim, traffic }: Stage): Promise<number> {
	const killedMs = lab.nowMs();
	await victim.kill();
	lab.note(`the process on ${victim.name} (${victim.destination}) is killed`, killedMs);
	// A connection that was under way when the process died is reset instead: no refusal.
	const refusal = () => traffic.failures.find(({ result }) => result === 'refused');
	const first = await lab.until('a client is refused', actLimitMs, refusal);
	lab.note(`the first client is refused (${first.from})`, first.atMs);
	return killedMs;
}

/** The journal's lines of the taking, as the timeline; fails unless the weight becomes 0. */
export async function awaitTaking(lab: Lab, { victim }: Stage, daemon: Daemon): Promise<number> {
	await lab.until(
		`weight of ${victim.destination} is 0`,
		lab.blind ? blindLimitMs : actLimitMs,
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

/** In the order of the servers. */
export async function expectWeights(lab: Lab, wanted: number[], when = 'now'): Promise<void> {
	const weights = await lab.director.weights();
	const found = lab.servers.map(({ destination }) => weights.get(destination));
	lab.expect(found.join() === wanted.join(), `the weights are ${wanted.join(', ')} ${when}`, found);
}

/** Ends the traffic and says what it cost the clients. */
export async function count(lab: Lab, { traffic }: Stage): Promise<Totals> {
	const totals = await traffic.stop();
	lab.fact('connections tried', totals.started);
	lab.fact('clients refused', totals.refused);
	return totals;
}

/** Fits the journal's lines of one scenario about one server. */
export function concerns(
	scenario: string,
	{ destination }: RealServer,
): (line: { scenario: string; destination?: string }) => boolean {
	return (line) => line.scenario === scenario && line.destination?.endsWith(` > ${destination}`) === true;
}
