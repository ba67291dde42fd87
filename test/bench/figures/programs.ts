/** What wire.bpf.c costs per packet over a program that does nothing, by BPF_PROG_TEST_RUN on the host's own kernel. */
import { BpfObject, objectPath } from '../../../src/addon/index.js';
import { loadObject, u32Constant, u64Constant } from '../../../src/capture/programs.js';
import { WireCapture } from '../../../src/capture/wire.js';
import type { Endpoint } from '../../../src/table/model.js';
import { clientPacket4, clientPacket6, icmp4, icmp4Error, icmp6, icmp6Error } from '../../kernel/icmp-packets.js';
import { acceptanceFlags, frame4, frame6, ipv4, ipv6, refusalFlags, tcp, tcpFlag } from '../../kernel/packets.js';
import type { Context, Figure, Goal, Row } from '../figure.js';

/** The addresses that the frames of test/kernel/packets.ts come from. */
const endpoints: Endpoint[] = [
	{ protocol: 'tcp', family: 'inet', address: '10.1.0.11', port: 8080 },
	{ protocol: 'tcp', family: 'inet6', address: 'fd00::11', port: 8080 },
];

/** Theirs, as userspace lists it from the neighbour table. */
const senderMac = '02:00:00:00:00:02';

/**
 * About 2 ms of an empty program: long against the clock, short against the scheduler's slice. A test run of XDP itself
 * waits some 20 ms for other CPUs (bpf_dispatcher_change_prog), which is why there are not more of them.
 */
const repeat = 50_000;
/** 50,000 records of 96 octets fit three times. */
const ringBytes = 16 * 1024 * 1024;
const hourNs = 3_600_000_000_000;

class Wire {
	readonly #object: BpfObject;
	readonly #capture: WireCapture;

	/** An interval of 0 lets every event pass; one of an hour, none after the first. */
	constructor(intervalNs: number) {
		this.#object = loadObject({
			object: 'wire',
			programs: ['wire_xdp', 'wire_tc'],
			constants: { event_interval_ns: u64Constant(intervalNs), event_burst: u32Constant(1) },
			maxEntries: { events: ringBytes, endpoints: 64, counters: 64 },
		});
		const onError = (error: Error) => {
			throw error;
		};
		this.#capture = new WireCapture(this.#object, { interfaces: [], attach: 'tc', onEvents: () => {}, onError });
		this.#capture.setEndpoints(endpoints);
		this.#capture.setSenders(endpoints.map(({ address }) => ({ address, macs: [senderMac] })));
	}

	run(hook: Hook, frame: Uint8Array): number {
		const { durationNs } = this.#object.testRun(`wire_${hook}`, frame, { repeat });
		this.#capture.drain();
		return durationNs;
	}

	close(): void {
		this.#capture.close();
	}
}

type Hook = 'xdp' | 'tc';

interface Case {
	what: string;
	frame: Uint8Array;
	withEvents: boolean;
	goals: Goal[];
}

/** What one family's frames look like. */
interface Frames {
	segment(flags: number): Uint8Array;
	echo: Uint8Array;
	error: Uint8Array;
}

/** ICMP errors are rare, and a sender limits them itself: they are held to no goal. */
function casesOf(family: string, { segment, echo, error }: Frames): Case[] {
	const atMost = (ratio: number): Goal[] => [{ of: 'median', atMost: ratio }];
	return [
		{ what: 'an uninteresting packet', frame: segment(tcpFlag.ack), withEvents: false, goals: atMost(1.4) },
		{ what: 'a counted RST, no event', frame: segment(refusalFlags), withEvents: false, goals: atMost(3) },
		{ what: 'a counted SYN|ACK', frame: segment(acceptanceFlags), withEvents: false, goals: [] },
		{ what: 'a RST with its event', frame: segment(refusalFlags), withEvents: true, goals: atMost(5) },
		{ what: 'a ping', frame: echo, withEvents: false, goals: atMost(1.4) },
		{ what: 'a counted ICMP error, no event', frame: error, withEvents: false, goals: [] },
		{ what: 'an ICMP error with its event', frame: error, withEvents: true, goals: [] },
	].map((one) => ({ ...one, what: `${one.what}, ${family}` }));
}

const cases: Case[] = [
	...casesOf('IPv4', {
		segment: (flags) => frame4(ipv4({}, tcp({ flags }))),
		echo: frame4(icmp4Error(clientPacket4(), { type: icmp4.echo })),
		error: frame4(icmp4Error(clientPacket4())),
	}),
	...casesOf('IPv6', {
		segment: (flags) => frame6(ipv6({}, tcp({ flags }))),
		echo: frame6(icmp6Error(clientPacket6(), { type: icmp6.echo })),
		error: frame6(icmp6Error(clientPacket6())),
	}),
];

interface Workbench {
	empty: BpfObject;
	counting: Wire;
	telling: Wire;
}

/** One round runs the empty program before each case, so that both sides meet the same moments of the machine. */
function measure(hook: Hook, rounds: number, { empty, counting, telling }: Workbench): Row[] {
	const rows = cases.map(({ what, goals }) => ({
		what: `${hook}: ${what}`,
		unit: 'ns' as const,
		measured: [] as number[],
		beside: { what: 'an empty program', measured: [] as number[] },
		goals,
	}));
	for (let round = 0; round < rounds; round++)
		for (const [index, { frame, withEvents }] of cases.entries()) {
			const row = rows[index];
			row?.beside.measured.push(empty.testRun(`empty_${hook}`, frame, { repeat }).durationNs);
			row?.measured.push((withEvents ? telling : counting).run(hook, frame));
		}
	return rows;
}

async function run({ quick, say }: Context): Promise<Row[]> {
	const rounds = quick ? 6 : 50;
	const empty = BpfObject.open(objectPath('bench_empty'));
	empty.load();
	const counting = new Wire(hourNs);
	const telling = new Wire(0);
	const rows = (['xdp', 'tc'] as const).flatMap((hook) => {
		say(`${hook}: ${cases.length} cases, ${rounds} rounds of ${repeat} packets`);
		return measure(hook, rounds, { empty, counting, telling });
	});
	counting.close();
	telling.close();
	empty.close();
	return rows;
}

export const programs: Figure = {
	name: 'programs',
	sentence: 'what the observer costs per packet, over an empty program',
	conditions:
		'BPF_PROG_TEST_RUN with warm caches, means of 50,000 runs; the ring is read after each batch, so that only its ' +
		'first event wakes the reader.',
	run,
};
