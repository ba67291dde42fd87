/**
 * The VIP probe: asks a DR or TUN real server about the very service on the VIP, which the director cannot do by an
 * ordinary connect, because it has the VIP itself. A SYN goes out in a raw frame to the server's link address (TUN: inside
 * its tunnel), and the answer is read from a packet socket, which has its copy before routing drops it for having one of
 * our own addresses as its source (fib_validate_source() in net/ipv4/fib_frontend.c): a "martian source", counted and, where
 * log_martians is set, logged. IPv6 drops none for that; there the kernel's own RST goes to the VIP that it has itself. A RST
 * of ours closes, so that nothing stays behind on the server; where there is a request it is sent before that, and answered. Needs CAP_NET_RAW and nothing else.
 *
 * The contract is that of `Prober`: bounded, one question for each target at a time, each with its time-out, no rejection.
 * What an answer proves is for the judge. Each question asks for the next hop's link address anew: a server that moved is
 * found, and a dead host is told apart from a silent one.
 */
import { randomInt } from 'node:crypto';
import { hostPort } from '../table/identity.js';
import { type Exchange, exchangeOctetsMax, type Verdict } from './exchange.js';
import {
	closedDetail,
	type ProbeLimits,
	ProbeQueue,
	type ProbeResult,
	probeError,
	questionName,
} from './probe-queue.js';
import { sourcePorts } from './vip-filter.js';
import { VipQuestion } from './vip-question.js';
import { type Routes, type VipTarget, type Way, wayTo } from './vip-way.js';
import { type OpenFrameSocket, openPacketSocket, VipWire } from './vip-wire.js';

export interface VipProberOptions extends ProbeLimits {
	/** A test has one of its own. */
	openSocket?: OpenFrameSocket;
	/** How long a wire stays open for the next question: longer than a failed server is left unasked at first (500 ms). */
	lingerMs?: number;
}

interface Wire {
	wire: VipWire;
	linger: NodeJS.Timeout | undefined;
}

export class VipProber {
	readonly #routes: Routes;
	readonly #queue: ProbeQueue;
	readonly #openSocket: OpenFrameSocket;
	readonly #lingerMs: number;
	readonly #wires = new Map<string, Wire>();
	#closed = false;

	constructor(routes: Routes, options: VipProberOptions = {}) {
		const { openSocket = openPacketSocket, lingerMs = 5_000, underWayMax = 64, ...limits } = options;
		if (underWayMax > sourcePorts.count) throw new RangeError(`there are only ${sourcePorts.count} ports to ask from`);
		this.#routes = routes;
		this.#queue = new ProbeQueue({ underWayMax, ...limits });
		this.#openSocket = openSocket;
		this.#lingerMs = lingerMs;
	}

	/** Asks the server. Who asks the same again before the answer is there shares it. Never rejects. */
	probe(target: VipTarget, { request, expect }: Exchange, timeoutMs: number): Promise<ProbeResult> {
		const { vip, port, host, forwarding } = target;
		if (request !== undefined && request.length > exchangeOctetsMax)
			return Promise.resolve(
				probeError(`a request of more than ${exchangeOctetsMax} octets is not supported by the probe`),
			);
		// The VIP on one server is another place than on the next one, and than that server's own address.
		const place = `${hostPort(vip, port)} > ${host}`;
		const exchange = { request, expect };
		return this.#queue.put(questionName(`${place} ${forwarding}`, exchange), place, () =>
			this.#ask(target, exchange, timeoutMs),
		);
	}

	/** Ends what is under way; every probe that was still open answers `error`. */
	close(): void {
		this.#closed = true;
		this.#queue.close();
		for (const [name, entry] of [...this.#wires]) {
			this.#drop(name, entry);
			entry.wire.close(closedDetail);
		}
	}

	/** The time-out begins when the way is known, which takes the kernel some microseconds. */
	async #ask(target: VipTarget, exchange: Exchange, timeoutMs: number): Promise<ProbeResult> {
		try {
			const way = await wayTo(this.#routes, target);
			if (typeof way === 'string') return probeError(way);
			if (this.#closed) return probeError(closedDetail);
			const name = `${way.interfaceIndex} ${way.source}`;
			const entry = this.#wireFor(name, way);
			const startNs = process.hrtime.bigint();
			const asked = { target, exchange, way, timeoutMs };
			const { outcome, detail } = await converse(entry.wire, asked);
			const latencyMs = outcome === 'error' ? 0 : Number(process.hrtime.bigint() - startNs) / 1e6;
			this.#release(name, entry);
			return { outcome, latencyMs, detail };
		} catch (error) {
			return probeError(messageOf(error));
		}
	}

	#wireFor(name: string, way: Way): Wire {
		const known = this.#wires.get(name);
		if (known) {
			clearTimeout(known.linger);
			return known;
		}
		const onGone = () => this.#drop(name, entry);
		const wire = new VipWire(way, this.#openSocket, randomInt(sourcePorts.count), onGone);
		const entry: Wire = { wire, linger: undefined };
		this.#wires.set(name, entry);
		return entry;
	}

	/** A wire must not copy frames while nobody asks; a new one for each question would cost more than the question. */
	#release(name: string, entry: Wire): void {
		// Questions that one batch of answers settles are all released with the wire idle.
		clearTimeout(entry.linger);
		if (!entry.wire.isIdle || this.#wires.get(name) !== entry) return;
		entry.linger = setTimeout(() => {
			if (!entry.wire.isIdle || this.#wires.get(name) !== entry) return;
			this.#drop(name, entry);
			entry.wire.close(closedDetail);
		}, this.#lingerMs);
	}

	/** The name may be a newer wire's by now, which stays. */
	#drop(name: string, entry: Wire): void {
		clearTimeout(entry.linger);
		if (this.#wires.get(name) === entry) this.#wires.delete(name);
	}
}

interface Asked {
	target: VipTarget;
	exchange: Exchange;
	way: Way;
	timeoutMs: number;
}

/** One question from its first frame to its verdict. What is unanswered after half of the time is asked once more. */
function converse(wire: VipWire, { target, exchange, way, timeoutMs }: Asked): Promise<Verdict> {
	return new Promise((resolve) => {
		const settle = (verdict: Verdict): void => {
			clearTimeout(again);
			clearTimeout(end);
			wire.leave(port);
			resolve(verdict);
		};
		const attempt = (step: () => Verdict | undefined): void => {
			try {
				const verdict = step();
				if (verdict) settle(verdict);
			} catch (error) {
				settle({ outcome: 'error', detail: messageOf(error) });
				resetAnyway(question);
			}
		};
		const port = wire.join({
			hear: (answer) => attempt(() => question.hear(answer)),
			fail: (detail) =>
				attempt(() => {
					question.reset();
					return { outcome: 'error', detail };
				}),
		});
		const secret = { port, sequence: randomInt(2 ** 32) };
		const question = new VipQuestion(target, exchange, way, secret, (frame) => wire.send(frame));
		const again = setTimeout(() => attempt(() => question.ask()), timeoutMs / 2);
		const end = setTimeout(() => attempt(() => question.timeOver(timeoutMs)), timeoutMs);
		attempt(() => question.ask());
	});
}

/** What the server may have begun is to be ended even where something could not be sent. */
function resetAnyway(question: VipQuestion): void {
	try {
		question.reset();
	} catch {
		// Nor could this be, and the error has been told.
	}
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
