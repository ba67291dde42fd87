/**
 * The UDP probe: sends a datagram and waits for one that begins as expected. Where nothing is expected any answer will do,
 * and so will silence: only a host whose port is closed says something then, "port unreachable", which a connected socket
 * tells as ECONNREFUSED (udp(7)). Silence so says little: a host that is gone is silent, too, and is accepted then, even
 * on the director's own network: the kernel gives up on its link address after three requests a second apart (arp(7),
 * mcast_solicit), which is after the probe's time. That neighbour's failure is evidence of its own (`evidence/links.ts`).
 *
 * The contract is that of `Prober`. A datagram may be lost: what is open after half of the time is asked once more.
 */
import { createSocket, type Socket } from 'node:dgram';
import { openMarkedDatagramSocket } from '../addon/index.js';
import type { Asking } from '../judge/asking.js';
import { endpointId, hostPort } from '../table/identity.js';
import type { Endpoint } from '../table/model.js';
import { type Origin, originProblem } from './connection.js';
import { type Verdict, wrongAnswer } from './exchange.js';
import {
	closedDetail,
	type ProbeLimits,
	ProbeQueue,
	type ProbeResult,
	probeError,
	questionName,
} from './probe-queue.js';
import { addressOctets } from './vip-octets.js';

export class UdpProber {
	readonly #queue: ProbeQueue;
	readonly #open = new Set<(verdict: Verdict) => void>();

	constructor(limits: ProbeLimits = {}) {
		this.#queue = new ProbeQueue(limits);
	}

	/** Asks the endpoint. Who asks the same again before the answer is there shares it. Never rejects. */
	probe(endpoint: Endpoint, asking: Asking, timeoutMs: number): Promise<ProbeResult> {
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
		const { request = '', expect } = asking;
		const startNs = process.hrtime.bigint();
		return new Promise((resolve) => {
			const socket = createSocket(endpoint.family === 'inet6' ? 'udp6' : 'udp4');
			const finish = ({ outcome, detail }: Verdict): void => {
				clearTimeout(again);
				clearTimeout(end);
				if (!this.#open.delete(finish)) return;
				socket.close();
				resolve({ outcome, latencyMs: Number(process.hrtime.bigint() - startNs) / 1e6, detail });
			};
			// Without a callback a datagram that was not sent would pass for one that nobody answered.
			const sent = (error: Error | null): void => {
				if (error) finish(failure(error));
			};
			const ask = (): void => socket.send(Buffer.from(request, 'latin1'), sent);
			let again: NodeJS.Timeout | undefined;
			const end = setTimeout(() => finish(silence(expect, timeoutMs)), timeoutMs);
			this.#open.add(finish);
			socket.on('error', (error) => finish(failure(error)));
			socket.once('connect', () => {
				// It may have been ended meanwhile.
				if (!this.#open.has(finish)) return;
				ask();
				again = setTimeout(ask, timeoutMs / 2);
			});
			socket.on('message', (datagram) => finish(judge(datagram.toString('latin1'), expect)));
			try {
				connectFrom(socket, endpoint, asking);
			} catch (error) {
				finish(failure(error as Error));
			}
		});
	}
}

/** A connected socket hears its peer only, and the ICMP errors about what it sent. */
function connectFrom(socket: Socket, { address, family, port }: Endpoint, { sourceAddress, mark }: Origin): void {
	const connect = () => socket.connect(port, address);
	if (mark !== undefined) {
		const source = addressOctets(sourceAddress ?? (family === 'inet6' ? '::' : '0.0.0.0'));
		socket.bind({ fd: openMarkedDatagramSocket({ mark, source }) });
		connect();
	} else if (sourceAddress !== undefined) socket.bind({ address: sourceAddress, port: 0, exclusive: true }, connect);
	else connect();
}

function judge(datagram: string, expect = ''): Verdict {
	return datagram.startsWith(expect) ? { outcome: 'accepted', detail: '' } : wrongAnswer(datagram);
}

function silence(expect: string | undefined, waitedMs: number): Verdict {
	if (expect === undefined)
		return { outcome: 'accepted', detail: `nobody said within ${waitedMs} ms that it is closed` };
	return { outcome: 'unanswered', detail: `no answer within ${waitedMs} ms` };
}

/** Of ICMP's errors only "port unreachable" is the server's own; the others that come through are firewalls' (icmp_err_convert[]). */
function failure(error: NodeJS.ErrnoException): Verdict {
	return { outcome: error.code === 'ECONNREFUSED' ? 'refused' : 'error', detail: originProblem(error) };
}
