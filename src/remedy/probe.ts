/**
 * The TCP connect probe: asks an endpoint "do you accept connections?" and nothing more. An accepted connection is
 * closed by a RST, so that thousands of probes leave no TIME_WAIT behind on the director.
 *
 * What an answer proves (a probe must be calibrated first) is for the judge. It speaks to the real server's own
 * address only. Bounded: so many under way, so many waiting, one for each endpoint at a time, each with its time-out.
 */
import { connect, type Socket } from 'node:net';
import type { ProbeOutcome } from '../judge/input.js';
import { endpointId } from '../table/identity.js';
import type { Endpoint } from '../table/model.js';
import { closedDetail, type ProbeLimits, ProbeQueue, type ProbeResult, probeError } from './probe-queue.js';

export class Prober {
	readonly #queue: ProbeQueue;
	readonly #sockets = new Set<Socket>();

	constructor(limits: ProbeLimits = {}) {
		this.#queue = new ProbeQueue(limits);
	}

	/** Asks the endpoint. Who asks again before the answer is there shares it. Never rejects. */
	probe(endpoint: Endpoint, timeoutMs: number): Promise<ProbeResult> {
		if (endpoint.protocol !== 'tcp') return Promise.resolve(probeError(`${endpoint.protocol} has no connect probe`));
		if (endpoint.port === 0) return Promise.resolve(probeError('the port is not known'));
		return this.#queue.put(endpointId(endpoint), () => this.#ask(endpoint, timeoutMs));
	}

	/** Ends what is under way; every probe that was still open answers `error`. */
	close(): void {
		this.#queue.close();
		for (const socket of this.#sockets) socket.destroy(new Error(closedDetail));
	}

	#ask({ address, family, port }: Endpoint, timeoutMs: number): Promise<ProbeResult> {
		const startNs = process.hrtime.bigint();
		const socket = connect({ host: address, port, family: family === 'inet6' ? 6 : 4, autoSelectFamily: false });
		this.#sockets.add(socket);
		return new Promise((resolve) => {
			const finish = (outcome: ProbeOutcome, detail: string): void => {
				clearTimeout(timer);
				if (!this.#sockets.delete(socket)) return;
				// A socket that is still connecting would keep its reset for later, and live on until the kernel gives up.
				if (outcome === 'accepted') socket.resetAndDestroy();
				else socket.destroy();
				resolve({ outcome, latencyMs: Number(process.hrtime.bigint() - startNs) / 1e6, detail });
			};
			const timer = setTimeout(() => finish('unanswered', `no answer within ${timeoutMs} ms`), timeoutMs);
			socket.once('connect', () => finish('accepted', ''));
			// Stays for the socket's life: the reset may still report an error after the answer.
			socket.on('error', (error: NodeJS.ErrnoException) => finish(outcomeOf(error.code), error.message));
		});
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
