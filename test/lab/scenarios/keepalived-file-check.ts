/**
 * keepalived with FILE_CHECK on ipvigil's track files: it takes a dead server out at ipvigil's word, long before its own
 * check would have, and takes it back. In whatever order the two were started, across a crash of ipvigil, and in mode
 * assist, where ipvigil's weight 0 covers the time until keepalived has acted. Times are figures; what is asserted is order.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JournalLine } from '../../../src/report/segments.js';
import { type Keepalived, startKeepalived, trackDirectory } from '../keepalived.js';
import { awaitLine } from '../lines.js';
import type { Daemon, Lab, RealServer, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';
import type { Topology } from '../topology.js';

const actLimitMs = 20_000;
/** keepalived may have to be asked by its own TCP check, which comes every 20 s. */
const returnLimitMs = 45_000;
const leases = '/run/ipvigil/leases';

const scenario: Scenario = {
	name: 'keepalived-file-check',
	sentence: 'keepalived takes a dead server out at the word of ipvigil, before its own check, and takes it back',
	ci: ['7'],
	topology: withoutService(natIpv4({ servers: 3 })),
	limitMs: 420_000,
	async run(lab: Lab) {
		await Promise.all(lab.servers.map((server) => server.start()));
		const first = await startIpvigil(lab, 'notify');
		const keepalived = await startKeepalived(lab);
		lab.note('keepalived starts after ipvigil, and has put every server in');
		const traffic = lab.clients.start();
		await first.calibrated(lab.servers.map(({ destination }) => destination));
		await notified(lab, keepalived, first, lab.server('r1'));
		const second = await crashWhileOut(lab, keepalived, first, lab.server('r1'));
		await assisted(lab, keepalived, second, lab.server('r2'));
		await second.stop();
		await alone(lab, keepalived, lab.server('r2'));
		await traffic.stop();
		await keepalived.process.stop();
	},
};

async function startIpvigil(lab: Lab, mode: 'notify' | 'assist'): Promise<Daemon> {
	const daemon = await lab.daemon({ mode, monitors: { keepalived: { trackDirectory } } });
	lab.note(`ipvigil observes in mode ${mode}`);
	return daemon;
}

/** Mode notify: dead, removed by keepalived at our word; back, and put back by keepalived. */
async function notified(lab: Lab, keepalived: Keepalived, daemon: Daemon, server: RealServer): Promise<void> {
	const killedMs = await killInQuiet(lab, keepalived, server);
	const removed = await awaitRemoval(lab, keepalived, daemon, server, killedMs);
	lab.fact('notify: from the kill to removed by keepalived, ms', Math.round(removed.bootMs - killedMs));
	await awaitReturn(lab, server);
}

/** ipvigil dies by SIGKILL while the server is out; its successor, in mode assist, sees the server return. */
async function crashWhileOut(lab: Lab, keepalived: Keepalived, daemon: Daemon, server: RealServer): Promise<Daemon> {
	await awaitRemoval(lab, keepalived, daemon, server, await killInQuiet(lab, keepalived, server));
	await daemon.kill();
	lab.note('ipvigil is killed');
	const files = await readdir(trackDirectory);
	lab.expect(files.length === 1, 'the track file is still there', files);
	await server.start();
	lab.note(`${server.name} listens again`);
	const successor = await startIpvigil(lab, 'assist');
	await awaitIn(lab, server);
	return successor;
}

/** Mode assist: our weight 0 first, then keepalived's removal, and from then on the weight is keepalived's. */
async function assisted(lab: Lab, keepalived: Keepalived, daemon: Daemon, server: RealServer): Promise<void> {
	const killedMs = await killInQuiet(lab, keepalived, server);
	const quiesced = await awaitLine(lab, daemon, 'quiesced', server, killedMs);
	const removed = await awaitRemoval(lab, keepalived, daemon, server, killedMs);
	lab.expect(quiesced.bootMs < removed.bootMs, 'our weight 0 comes first, then the removal', { quiesced, removed });
	lab.fact('assist: from the kill to weight 0, ms', Math.round(quiesced.bootMs - killedMs));
	lab.fact('assist: from the kill to removed by keepalived, ms', Math.round(removed.bootMs - killedMs));
	const [file = ''] = await readdir(leases);
	const lease = await readFile(join(leases, file), 'utf8');
	lab.expect(/^state=with-monitor$/m.test(lease), 'the ledger says that the monitor has it', lease);
	await awaitReturn(lab, server);
}

/** The comparison: nobody writes the file, so keepalived finds out by its own next check. */
async function alone(lab: Lab, keepalived: Keepalived, server: RealServer): Promise<void> {
	const killedMs = await killInQuiet(lab, keepalived, server);
	await lab.until(
		`keepalived removes ${server.destination} by its own check`,
		returnLimitMs,
		async () => (await lab.director.weight(server.destination)) === undefined,
	);
	lab.note('keepalived alone has removed it');
	lab.fact('keepalived alone: from the kill to removed, ms', Math.round(lab.nowMs() - killedMs));
}

async function killInQuiet(lab: Lab, keepalived: Keepalived, server: RealServer): Promise<number> {
	await keepalived.quiet();
	const killedMs = lab.nowMs();
	await server.kill();
	lab.note(`the process on ${server.name} is killed`, killedMs);
	return killedMs;
}

/** The order: our word, then keepalived's deed; and its log says that the file was the reason, not its own check. */
async function awaitRemoval(
	lab: Lab,
	{ process }: Keepalived,
	daemon: Daemon,
	server: RealServer,
	sinceMs: number,
): Promise<JournalLine> {
	await awaitLine(lab, daemon, 'failed', server, sinceMs);
	const removed = await awaitLine(lab, daemon, 'with-monitor', server, sinceMs);
	lab.expect(String(removed.facts.by).startsWith('keepalived (pid '), 'it is keepalived that took it out', removed);
	const weight = await lab.director.weight(server.destination);
	lab.expect(weight === undefined, `${server.destination} is out of the table`, weight);
	const reasons = process.lines.filter((line) => / now FAULT state|TCP_CHECK on .* failed/.test(line));
	const why = reasons.at(-1) ?? '';
	lab.expect(
		why.includes(`tracked file ${server.name} now FAULT state`),
		'keepalived took it out for the file',
		reasons,
	);
	return removed;
}

async function awaitReturn(lab: Lab, server: RealServer): Promise<void> {
	await server.start();
	lab.note(`${server.name} listens again`);
	await awaitIn(lab, server);
}

/** Back with keepalived's own weight, and nothing of ours left: neither a lease nor a track file. */
async function awaitIn(lab: Lab, server: RealServer): Promise<void> {
	await lab.until(
		`${server.destination} is back with weight 100`,
		returnLimitMs,
		async () => (await lab.director.weight(server.destination)) === 100,
	);
	lab.note(`keepalived has put ${server.name} back`);
	await lab.until('neither a lease nor a track file is left', actLimitMs, async () =>
		(await Promise.all([leases, trackDirectory].map((one) => readdir(one)))).every((names) => names.length === 0),
	);
}

/** keepalived makes the service itself. */
function withoutService(topology: Topology): Topology {
	return { ...topology, nodes: topology.nodes.map(({ ipvs: _, ...node }) => node) };
}

export default scenario;
