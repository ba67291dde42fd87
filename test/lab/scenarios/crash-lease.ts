/**
 * ipvigil dies by kill -9 at the worst moments of a lease: after the ledger and before the write, after the write and
 * before its outcome, while it takes out and while it gives back. Afterwards the weight must be right, by a restart or by
 * the give-back helper alone; except where someone wrote a weight meanwhile, which stays.
 *
 * One server stands behind four services, so one death leaves all these states at once: with four writes, one after the
 * other, and a crash before the third, two destinations are written, one is only in the ledger, and one is untouched.
 */
import { lastLeaseEndMs, leaseFile, leaseFiles, runHelper } from '../leases.js';
import { concerns } from '../refusals.js';
import type { Daemon, DaemonConfig, Lab, Scenario } from '../scenario.js';
import { crashLibrary } from '../tools.js';
import { natIpv4 } from '../topologies.js';
import type { Topology } from '../topology.js';

const ports = [80, 81, 82, 83];
/** One write gives a weight back. */
const inOne = { slowStartSteps: 1 };
/** A lease that is soon over, for the runs in which nobody starts again. */
const shortLease: DaemonConfig = { policy: { ...inOne, leaseMs: 2_000, renewMarginMs: 500 } };
const actLimitMs = 30_000;
/** Several rounds of recovery probes (every 500 ms): time enough to write once too often. */
const temptationMs = 1_500;

/** The second of four writes is made, and nothing after the ledger's entry of the third. */
const whileTaking = 'set_dest:2:before:zero';

interface Standing {
	service: string;
	weight: number;
	leased: boolean;
}

const scenario: Scenario = {
	name: 'crash-lease',
	sentence: 'wherever in a lease ipvigil is killed, the weight is right after a restart, or by the helper at its end',
	topology: withServices(natIpv4({ servers: 2 })),
	limitMs: 300_000,
	async run(lab: Lab) {
		await Promise.all(lab.servers.map((server) => server.start()));
		const traffic = lab.clients.start();
		await undoneByHelper(lab, await undoneByRestart(lab));
		await traffic.stop();
	},
};

/** Killed while it takes out, and its successor while it gives back: each time the next one puts the weights right. */
async function undoneByRestart(lab: Lab): Promise<Daemon> {
	const foreign = await dieTaking(lab, await start(lab, whileTaking));
	await lab.server('r1').start();
	// Its resuming makes one write that is not 0; of the four that are to be given back then, the second is the third.
	const second = await start(lab, 'set_dest:2:after:nonzero');
	await expectRight(lab, foreign, 'after a restart');
	await expectDropped(lab, second, foreign);
	await lab.sleep(temptationMs);
	await expectRight(lab, foreign, 'in the long run');
	await setWeights(lab, foreign, 100);
	await dieGivingBack(lab, second);
	const third = await start(lab, whileTaking, shortLease);
	await expectRight(lab, [], 'after a restart');
	return third;
}

/** The same two deaths, and nobody starts again: the leases run out and the helper alone puts the weights right. */
async function undoneByHelper(lab: Lab, takes: Daemon): Promise<void> {
	const foreign = await dieTaking(lab, takes);
	await lab.server('r1').start();
	await runHelperAtTheEnd(lab);
	await expectRight(lab, foreign, 'by the helper');
	await setWeights(lab, foreign, 100);
	await dieGivingBack(lab, await start(lab, 'set_dest:1:after:nonzero', shortLease));
	await runHelperAtTheEnd(lab);
	await expectRight(lab, [], 'by the helper');
}

async function start(lab: Lab, trigger: string, config: DaemonConfig = { policy: inOne }): Promise<Daemon> {
	const daemon = await lab.daemon(config, { env: { LD_PRELOAD: crashLibrary, CRASH_ON: trigger } });
	lab.note(`ipvigil observes (pid ${daemon.pid}), to be killed at ${trigger}`);
	await daemon.calibrated([lab.server('r1').destination]);
	return daemon;
}

/** Killed with two weights written and a third in the ledger only; then an admin writes 0 over one of each: the services. */
async function dieTaking(lab: Lab, daemon: Daemon): Promise<string[]> {
	await lab.server('r1').kill();
	const left = await awaitDeath(lab, daemon);
	const written = left.filter(({ weight, leased }) => leased && weight === 0);
	const onlyEntered = left.filter(({ weight, leased }) => leased && weight === 100);
	lab.expect(written.length === 2 && onlyEntered.length === 1, 'two are written, one is only in the ledger', left);
	const foreign = [written[0], onlyEntered[0]].map((one) => one?.service ?? '');
	await setWeights(lab, foreign, 0);
	return foreign;
}

/** Killed with two weights given back, one at least still in the ledger, and two still owed. */
async function dieGivingBack(lab: Lab, daemon: Daemon): Promise<void> {
	await lab.server('r1').kill();
	await lab.until('all four weights are 0', actLimitMs, async () =>
		(await standing(lab)).every(({ weight }) => weight === 0),
	);
	await lab.server('r1').start();
	const left = await awaitDeath(lab, daemon);
	const written = left.filter(({ weight, leased }) => leased && weight === 100);
	const owed = left.filter(({ weight, leased }) => leased && weight === 0);
	lab.expect(written.length >= 1 && owed.length === 2, 'one is given back but in the ledger, two are owed', left);
}

async function awaitDeath(lab: Lab, daemon: Daemon): Promise<Standing[]> {
	const ended = await lab.until('ipvigil is killed', actLimitMs, () => daemon.ended);
	lab.expect(ended === 'SIGKILL', 'it is the crash library that ended it', { ended, last: daemon.lines.slice(-5) });
	const left = await standing(lab);
	const words = left.map(({ service, weight, leased }) => `${service} has ${weight}${leased ? ', in the ledger' : ''}`);
	lab.note(`ipvigil is killed: ${words.join('; ')}`);
	return left;
}

/** The helper as its timer runs it, once the last lease is over. */
async function runHelperAtTheEnd(lab: Lab): Promise<void> {
	const endMs = await lastLeaseEndMs();
	lab.expect(endMs !== undefined, 'there are leases to end');
	await lab.sleep(endMs - lab.nowMs());
	await runHelper(lab);
	lab.note('the leases are over and the give-back helper has run');
}

/** 0 where it is the admin's word, 100 elsewhere, and nothing left in the ledger. */
async function expectRight(lab: Lab, foreign: string[], when: string): Promise<void> {
	await lab.until(`the ledger is empty ${when}`, actLimitMs, async () => (await leaseFiles()).length === 0);
	const wrong = (await standing(lab)).filter(({ service, weight }) => weight !== (foreign.includes(service) ? 0 : 100));
	lab.expect(wrong.length === 0, `every weight is right ${when} (the admin's 0: ${foreign.join(', ')})`, wrong);
	lab.note(`every weight is right ${when}, and the ledger is empty`);
}

async function expectDropped(lab: Lab, daemon: Daemon, foreign: string[]): Promise<void> {
	const lines = (await daemon.journal()).filter(concerns('resume-dropped', lab.server('r1')));
	for (const line of lines) lab.note(line.sentence, line.bootMs);
	for (const service of foreign) {
		const line = lines.find((each) => each.service === `tcp ${service}`);
		lab.expect(String(line?.facts.why).startsWith('ipvsadm'), `it was ipvsadm that wrote r1 in ${service}`, lines);
	}
}

async function setWeights(lab: Lab, services: string[], weight: number): Promise<void> {
	for (const service of services)
		await lab.director.ipvsadm('-e', '-t', service, '-r', lab.server('r1').destination, '-m', '-w', String(weight));
	lab.note(`an admin sets r1 to ${weight} in ${services.join(' and ')}`);
}

/** What IPVS and the ledger say of r1 in each service. */
async function standing(lab: Lab): Promise<Standing[]> {
	const { address } = lab.topology.vip;
	const { destination } = lab.server('r1');
	const rules = await lab.director.ipvsadm('-Sn');
	const files = await leaseFiles();
	return ports.map((each) => {
		const service = `${address}:${each}`;
		const rule = rules.split('\n').find((line) => line.startsWith(`-a -t ${service} -r ${destination} `));
		lab.expect(rule !== undefined, `${service} has r1`, rules);
		const leased = files.includes(leaseFile(lab, lab.server('r1'), service));
		return { service, weight: Number(/-w (\d+)/.exec(rule)?.[1]), leased };
	});
}

/** The same servers behind each of the ports. */
function withServices(topology: Topology): Topology {
	const nodes = topology.nodes.map((node) => {
		if (node.name !== topology.director) return node;
		const rules = ports.flatMap((port) => (node.ipvs ?? []).map((rule) => rule.replace(':80 ', `:${port} `)));
		return { ...node, ipvs: rules };
	});
	return { ...topology, nodes };
}

export default scenario;
