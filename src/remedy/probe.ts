/**
 * The TCP connect probe: asks an endpoint "do you accept connections?" and nothing more. An accepted connection is
 * closed by a RST, so that thousands of probes leave no TIME_WAIT behind on the director.
 *
 * What an answer proves (a probe must be calibrated first) is for the judge. It speaks to the real server's own
 * address only. Bounded: so many under way, so many waiting, one for each endpoint at a time, each with its time-out.
 */
import { connect, type Socket } from 'node:net';
import type { ProbeOutcome } from '../judge/input.js';
import { type EndpointId, endpointId } from '../table/identity.js';
import type { Endpoint } from '../table/model.js';

export interface ProbeResult {
	outcome: ProbeOutcome;
	/** From the SYN's handing over to the answer; for `unanswered` the time waited, for an `error` of ours 0. */
	latencyMs: number;
	/** What the system said, where it said something. */
	detail: string;
}

export interface ProberOptions {
	/** Sockets open at once. 64 dead hosts probed with a time-out of one second hold up the next one by at most one. */
	underWayMax?: number;
	/** Probes waiting; one more is answered `error` at once. 64 in a second of silence: 1,024 wait 16 s, and later says nothing. */
	waitingMax?: number;
}

interface Job {
	endpoint: Endpoint;
	timeoutMs: number;
	resolve: (result: ProbeResult) => void;
}

export class Prober {
	readonly #underWayMax: number;
	readonly #waitingMax: number;
	readonly #asked = new Map<EndpointId, Promise<ProbeResult>>();
	readonly #waiting: Job[] = [];
	readonly #sockets = new Set<Socket>();
	#closed = false;

	constructor({ underWayMax = 64, waitingMax = 1_024 }: ProberOptions = {}) {
		this.#underWayMax = underWayMax;
		this.#waitingMax = waitingMax;
	}

	/** Asks the endpoint. Who asks again before the answer is there shares it. Never rejects. */
	probe(endpoint: Endpoint, timeoutMs: number): Promise<ProbeResult> {
		const id = endpointId(endpoint);
		const asked = this.#asked.get(id);
		if (asked !== undefined) return asked;
		const refusal = this.#cannot(endpoint);
		if (refusal) return Promise.resolve({ outcome: 'error', latencyMs: 0, detail: refusal });
		const answer = new Promise<ProbeResult>((resolve) => {
			this.#waiting.push({ endpoint, timeoutMs, resolve });
		}).finally(() => this.#asked.delete(id));
		this.#asked.set(id, answer);
		this.#startWaiting();
		return answer;
	}

	/** Ends what is under way; every probe that was still open answers `error`. */
	close(): void {
		this.#closed = true;
		for (const job of this.#waiting.splice(0))
			job.resolve({ outcome: 'error', latencyMs: 0, detail: 'the prober was closed' });
		for (const socket of this.#sockets) socket.destroy(new Error('the prober was closed'));
	}

	#cannot(endpoint: Endpoint): string | undefined {
		if (this.#closed) return 'the prober was closed';
		if (endpoint.protocol !== 'tcp') return `${endpoint.protocol} has no connect probe`;
		if (endpoint.port === 0) return 'the port is not known';
		if (this.#waiting.length >= this.#waitingMax) return `${this.#waitingMax} probes are waiting already`;
		return undefined;
	}

	#startWaiting(): void {
		while (this.#sockets.size < this.#underWayMax) {
			const job = this.#waiting.shift();
			if (!job) return;
			this.#start(job);
		}
	}

	#start({ endpoint, timeoutMs, resolve }: Job): void {
		const startNs = process.hrtime.bigint();
		const { address, family, port } = endpoint;
		const socket = connect({ host: address, port, family: family === 'inet6' ? 6 : 4, autoSelectFamily: false });
		this.#sockets.add(socket);
		const finish = (outcome: ProbeOutcome, detail: string): void => {
			clearTimeout(timer);
			if (!this.#sockets.delete(socket)) return;
			// A socket that is still connecting would keep its reset for later, and live on until the kernel gives up.
			if (outcome === 'accepted') socket.resetAndDestroy();
			else socket.destroy();
			resolve({ outcome, latencyMs: Number(process.hrtime.bigint() - startNs) / 1e6, detail });
			this.#startWaiting();
		};
		const timer = setTimeout(() => finish('unanswered', `no answer within ${timeoutMs} ms`), timeoutMs);
		socket.once('connect', () => finish('accepted', ''));
		// Stays for the socket's life: the reset may still report an error after the answer.
		socket.on('error', (error: NodeJS.ErrnoException) => finish(outcomeOf(error.code), error.message));
	}
}

/** connect(2)'s errors, in the judge's words. A reset, a lack of sockets or of rights says nothing about the server. */
export function outcomeOf(code: string | undefined): ProbeOutcome {
	switch (code) {
		case 'ECONNREFUSED':
			return 'refused';
		case 'ETIMEDOUT':
			return 'unanswered';
		case 'EHOSTUNREACH':
		case 'ENETUNREACH':
			return 'unreachable';
		default:
			return 'error';
	}
}
