/**
 * A process dies in DR or TUN, where its refusals never pass the director: found failed by the probe, and taken out,
 * before keepalived asks again a second later. keepalived has a service of its own with the same processes
 * behind it on another port, so both see each death and neither disturbs the other. Every other death comes right after
 * one of keepalived's checks: there it is asserted who is first. The others come at random, and are told as figures.
 */
import type { WriteEvent } from '../../../src/decode/event.js';
import { type PlainService, startPlainKeepalived } from '../keepalived-plain.js';
import type { KernelName } from '../kernel.js';
import { awaitLine } from '../lines.js';
import { setWatchedStage, type WatchedStage } from '../refusals.js';
import type { Background, Lab, Scenario } from '../scenario.js';
import { SeenWrites } from '../seen-writes.js';
import { direct, hostPort, tunnel } from '../topologies.js';
import type { Topology } from '../topology.js';

const ratePerS = 50;
const roundMs = 1_000;
/** A check is over by then; the next is most of a round away. */
const afterCheckMs = 50;
/** Deaths of each kind. */
const deaths = 4;
/** An emulated machine stands still now and then for longer than keepalived's round. */
const firstLeast = deaths - 1;
const writeLimitMs = 30_000;
/** keepalived's service. */
const otherPort = 81;

/** Milliseconds since the death, but for the last. */
interface Kill {
	failedMs: number;
	outMs: number;
	keepalivedMs: number;
	/** When keepalived found the server well again: its checks come every second from then on. */
	checkedAtMs: number;
}

interface Rivals extends WatchedStage {
	keepalived: Background;
	writes: SeenWrites;
}

interface Method {
	name: string;
	method: PlainService['method'];
	topology: Topology;
	ci: KernelName[];
}

const methods: Method[] = [
	{ name: 'dr-killed', method: 'DR', topology: direct(), ci: ['7'] },
	{ name: 'tun-killed', method: 'TUN', topology: tunnel(), ci: ['6.1'] },
];

function scenario({ name, method, topology, ci }: Method): Scenario {
	return {
		name,
		sentence: `in ${method} a dead process is found failed before keepalived, which asks every second, asks again`,
		ci,
		topology: listeningTwice(topology),
		limitMs: 300_000,
		async run(lab: Lab) {
			const rivals = await setRivals(lab, method);
			const [atRandom, afterCheck]: [Kill[], Kill[]] = [[], []];
			for (let death = 0; death < deaths; death++) {
				const kill = await killOnce(lab, rivals, lab.nowMs() + Math.random() * roundMs);
				atRandom.push(kill);
				afterCheck.push(await killOnce(lab, rivals, nextRound(lab, kill.checkedAtMs) + afterCheckMs));
			}
			await rivals.traffic.stop();
			tell(lab, 'right after a check', afterCheck);
			tell(lab, 'at random', atRandom);
			const first = afterCheck.filter(isFirst).length;
			lab.expect(first >= firstLeast, 'who dies right after a check is found before the next', afterCheck);
			lab.expect((await rivals.daemon.stop()) === 0, 'ipvigil stops in order', rivals.daemon.lines.slice(-5));
			await rivals.keepalived.stop();
		},
	};
}

const isFirst = ({ failedMs, keepalivedMs }: Kill) => failedMs < keepalivedMs;

/** When keepalived asks next, and it is not too late to do something before. */
function nextRound(lab: Lab, checkedAtMs: number): number {
	return checkedAtMs + Math.ceil((lab.nowMs() - checkedAtMs) / roundMs) * roundMs;
}

function listeningTwice(topology: Topology): Topology {
	const servers = topology.servers.map((place) => ({
		...place,
		listen: { address: '0.0.0.0', ports: [place.port, otherPort] },
	}));
	return { ...topology, servers };
}

const onOtherPort = ({ address }: { address: string }) => ({ address, port: otherPort });

async function setRivals(lab: Lab, method: PlainService['method']): Promise<Rivals> {
	const writes = await SeenWrites.open(lab);
	const stage = await setWatchedStage(lab, { policy: { flapsMax: 1_000 } }, ratePerS);
	const { vip, servers } = lab.topology;
	const service = { method, vip: onOtherPort(vip), servers: servers.map(onOtherPort) };
	const keepalived = await startPlainKeepalived(lab, service);
	lab.note('keepalived asks the same servers every second, for a service of its own');
	return { ...stage, keepalived, writes };
}

async function killOnce(lab: Lab, rivals: Rivals, atMs: number): Promise<Kill> {
	const { daemon, writes, victim } = rivals;
	const place = lab.topology.servers.find(({ node }) => node === victim.name);
	const other = hostPort(onOtherPort(place ?? lab.topology.vip));
	await lab.sleep(atMs - lab.nowMs());
	const killedMs = lab.nowMs();
	await victim.kill();
	const written = (weight: number, destination: string, by: (write: WriteEvent) => boolean) =>
		lab.until(`${destination} gets weight ${weight}`, writeLimitMs, () => {
			const fits = (write: WriteEvent) => by(write) && write.newWeight === weight && msOf(write) >= killedMs;
			return writes.of(destination).find(fits);
		});
	const own = ({ pid }: WriteEvent) => pid === daemon.pid;
	const keepaliveds = ({ comm }: WriteEvent) => comm === 'keepalived';
	const outMs = msOf(await written(0, victim.destination, own));
	const keepalivedMs = msOf(await written(0, other, keepaliveds));
	const failed = await awaitLine(lab, daemon, 'failed', victim, killedMs);
	lab.expect(failed.facts.probe === 'refused', 'it was the probe that found it', failed);
	await victim.start();
	await written(100, victim.destination, own);
	const checkedAtMs = msOf(await written(100, other, keepaliveds));
	return {
		failedMs: failed.bootMs - killedMs,
		outMs: outMs - killedMs,
		keepalivedMs: keepalivedMs - killedMs,
		checkedAtMs,
	};
}

const msOf = ({ atUs }: WriteEvent) => atUs / 1_000;

function tell(lab: Lab, when: string, kills: Kill[]): void {
	const all = (of: keyof Kill) => kills.map((kill) => Math.round(kill[of])).join(', ');
	lab.fact(`${when}: from the death to the verdict, ms`, all('failedMs'));
	lab.fact(`${when}: to weight 0, ms`, all('outMs'));
	lab.fact(`${when}: to keepalived's weight 0, ms`, all('keepalivedMs'));
	lab.fact(`${when}: ipvigil is first`, `${kills.filter(isFirst).length} times of ${kills.length}`);
}

export default methods.map(scenario);
