/**
 * The TCP connect probe: asks an endpoint "do you accept connections?" and, where there is a request or an expectation,
 * "do you answer?", and nothing more. It is closed by a RST, so that thousands of probes leave no TIME_WAIT behind on the
 * director.
 *
 * What an answer proves (a probe must be calibrated first) is for the judge, and whom to ask for `probes.ts`: the real
 * server's own address, or a stand-in's. Bounded: so many under way, so many waiting, each with its time-out.
 */
import type { Socket } from 'node:net';
import type { Asking } from '../judge/asking.js';
import type { ProbeOutcome } from '../judge/input.js';
import { endpointId, hostPort } from '../table/identity.js';
import type { Endpoint } from '../table/model.js';
import { openConnection, originProblem } from './connection.js';
import { AnswerReader, isExchange, type Verdict } from './exchange.js';
import {
	closedDetail,
	type ProbeLimits,
	ProbeQueue,
	type ProbeResult,
	probeError,
	questionName,
} from './probe-queue.js';

export class Prober {
	readonly #queue: ProbeQueue;
	/** What ends each question that is under way. */
	readonly #open = new Set<(verdict: Verdict) => void>();

	constructor(limits: ProbeLimits = {}) {
		this.#queue = new ProbeQueue(limits);
	}

	/** Asks the endpoint. Who asks the same again before the answer is there shares it. Never rejects. */
	probe(endpoint: Endpoint, asking: Asking, timeoutMs: number): Promise<ProbeResult> {
		if (endpoint.protocol !== 'tcp') return Promise.resolve(probeError(`${endpoint.protocol} has no connect probe`));
		if (endpoint.port === 0) return Promise.resolve(probeError('the port is not known'));
		const name = questionName(endpointId(endpoint), asking);
		return this.#queue.put(name, hostPort(endpoint.address, endpoint.port), () =>
			this.#ask(endpoint, asking, timeoutMs),
		);
	}

	/** Ends what is under way; every probe that was still open answers `error`. */
	close(): void {
		this.#queue.close();
		for (const finish of [...this.#open]) finish({ outcome: 'error', detail: closedDetail });
	}

	#ask(endpoint: Endpoint, asking: Asking, timeoutMs: number): Promise<ProbeResult> {
		const startNs = process.hrtime.bigint();
		return new Promise((resolve) => {
			let hangUp = (): void => {};
			/** From when on the connection stands. */
			let reader: AnswerReader | undefined;
			const finish = ({ outcome, detail }: Verdict): void => {
				clearTimeout(timer);
				if (!this.#open.delete(finish)) return;
				hangUp();
				resolve({ outcome, latencyMs: Number(process.hrtime.bigint() - startNs) / 1e6, detail });
			};
			const unanswered: Verdict = { outcome: 'unanswered', detail: `no answer within ${timeoutMs} ms` };
			const timer = setTimeout(() => finish(reader?.timeOver(timeoutMs) ?? unanswered), timeoutMs);
			this.#open.add(finish);
			const fail = (error: NodeJS.ErrnoException): void => {
				const outcome = reader ? brokenOutcomeOf(error.code) : outcomeOf(error.code);
				finish({ outcome, detail: originProblem(error) });
			};
			const onConnect = (socket: Socket): void => {
				if (!isExchange(asking)) return finish({ outcome: 'accepted', detail: '' });
				reader = new AnswerReader(asking.expect);
				converse(socket, asking.request, reader, finish);
			};
			try {
				hangUp = openConnection(endpoint, asking, { onConnect, onError: fail });
			} catch (error) {
				fail(error as Error);
			}
		});
	}
}

function converse(
	socket: Socket,
	request: string | undefined,
	reader: AnswerReader,
	finish: (verdict: Verdict) => void,
): void {
	socket.setEncoding('latin1');
	socket.on('data', (text: string) => {
		const verdict = reader.hear(text);
		if (verdict) finish(verdict);
	});
	socket.once('end', () => finish(reader.closed()));
	if (request) socket.write(request, 'latin1');
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

/** The same of a connection that stood: a RST is the server's word, and what it no longer acknowledges has met none (tcp(7)). */
function brokenOutcomeOf(code: string | undefined): ProbeOutcome {
	switch (code) {
		case 'ECONNRESET':
		case 'EPIPE':
			return 'reset';
		case 'ETIMEDOUT':
			return 'hung';
		default:
			return outcomeOf(code);
	}
}
