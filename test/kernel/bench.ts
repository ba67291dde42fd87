/**
 * A workbench for wire.bpf.c on the host's own kernel: both programs loaded, attached nowhere, fed with single frames
 * through BPF_PROG_TEST_RUN. What a test sees is what the daemon would see: events, counters, losses.
 */
import type { BpfObject, TestRunResult } from '../../src/addon/index.js';
import { booleanConstant, loadObject, u32Constant, u64Constant } from '../../src/capture/programs.js';
import type { StreamLosses } from '../../src/capture/stream.js';
import { WireCapture } from '../../src/capture/wire.js';
import type { EndpointCounters, HostCounters, KernelEvent, RefusalEvent } from '../../src/decode/event.js';
import type { Endpoint } from '../../src/table/model.js';

export type Program = 'wire_xdp' | 'wire_tc';
export const programs: readonly Program[] = ['wire_xdp', 'wire_tc'];
/** For interfaces without an Ethernet header. */
export const ipPrograms = ['wire_xdp_ip', 'wire_tc_ip'] as const;
type AnyProgram = Program | (typeof ipPrograms)[number];

/** What each hook must answer, whatever the packet: XDP_PASS, and TC_ACT_UNSPEC as an unsigned number. */
export const passed: Record<Program, number> = { wire_xdp: 2, wire_tc: 0xffff_ffff };

export const endpoint4: Endpoint = { protocol: 'tcp', family: 'inet', address: '10.1.0.11', port: 8080 };
export const endpoint6: Endpoint = { protocol: 'tcp', family: 'inet6', address: 'fd00::11', port: 8080 };

export interface BenchSettings {
	/** So long by default that no test machine is slow enough to see the bucket refilled. */
	eventIntervalMs?: number;
	eventBurst?: number;
	ringBytes?: number;
	packets?: boolean;
}

const nanosecondsPerMillisecond = 1_000_000;

function load({
	eventIntervalMs = 3_600_000,
	eventBurst = 5,
	ringBytes = 65_536,
	packets = false,
}: BenchSettings): BpfObject {
	return loadObject({
		object: 'wire',
		programs: [...programs, ...ipPrograms],
		constants: {
			event_interval_ns: u64Constant(eventIntervalMs * nanosecondsPerMillisecond),
			event_burst: u32Constant(eventBurst),
			with_packets: booleanConstant(packets),
		},
		maxEntries: { events: ringBytes, endpoints: 64, counters: 64, hosts: 64, senders: 64, learned: 64 },
	});
}

export class Bench {
	readonly wire: WireCapture;
	readonly #object: BpfObject;
	#events: KernelEvent[] = [];

	constructor(settings: BenchSettings = {}) {
		this.#object = load(settings);
		this.wire = new WireCapture(this.#object, {
			interfaces: [],
			attach: 'tc',
			onEvents: (events) => this.#events.push(...events),
			onError: (error) => {
				throw error;
			},
		});
		this.wire.setEndpoints([endpoint4, endpoint6]);
	}

	/** Runs one frame `repeat` times; what the program returned, and the frame as it left it. */
	run(program: AnyProgram, frame: Uint8Array, repeat = 1): TestRunResult {
		return this.#object.testRun(program, frame, { repeat });
	}

	/** Runs one frame once and takes the refusals that it caused. */
	refusalsOf(program: AnyProgram, frame: Uint8Array): RefusalEvent[] {
		this.run(program, frame);
		return this.takeRefusals();
	}

	takeRefusals(): RefusalEvent[] {
		return this.take('refusal');
	}

	/** Takes all events, and gives those of one kind. */
	take<Kind extends KernelEvent['kind']>(kind: Kind): Extract<KernelEvent, { kind: Kind }>[] {
		const isOfKind = (event: KernelEvent): event is Extract<KernelEvent, { kind: Kind }> => event.kind === kind;
		return this.takeEvents().filter(isOfKind);
	}

	takeEvents(): KernelEvent[] {
		this.wire.drain();
		return this.#events.splice(0);
	}

	counters(endpoint: Endpoint = endpoint4): EndpointCounters {
		const found = this.wire.counters().find((watched) => watched.endpoint === endpoint);
		if (found === undefined) throw new Error(`${endpoint.address} is not watched`);
		return found.counters;
	}

	host(address: string): HostCounters {
		const found = this.wire.hostCounters().find((watched) => watched.address === address);
		if (found === undefined) throw new Error(`${address} is not watched`);
		return found.counters;
	}

	/** Those that are not 0. */
	losses(): Partial<StreamLosses> {
		return Object.fromEntries(Object.entries(this.wire.losses()).filter(([, count]) => count > 0));
	}

	close(): void {
		this.wire.close();
	}
}
