/**
 * One interface and one address of ours on it, as the VIP probe uses them: a filtered packet socket that all questions
 * under way share, each with a port of its own. It hands each frame to whom it may concern.
 */
import { PacketSocket, type PacketSocketOptions } from '../addon/index.js';
import { readAnswer, type VipAnswer } from './vip-answer.js';
import { answerFilter, sourcePorts } from './vip-filter.js';
import type { Way } from './vip-way.js';

export interface FrameSocket {
	send(frame: Uint8Array): void;
	close(): void;
}

/** Throws what the kernel says, EPERM for example. */
export type OpenFrameSocket = (options: PacketSocketOptions) => FrameSocket;

export const openPacketSocket: OpenFrameSocket = (options) => new PacketSocket(options);

/** Whoever waits for an answer. */
export interface Waiter {
	hear(answer: VipAnswer): void;
	/** No answer will come: the socket is gone. */
	fail(detail: string): void;
}

export class VipWire {
	readonly #socket: FrameSocket;
	readonly #waiters = new Map<number, Waiter>();
	#nextPort: number;

	/** `onGone` is called once, when the socket says that it is dead; not by `close`. */
	constructor({ interfaceIndex, source }: Way, open: OpenFrameSocket, random: number, onGone: () => void) {
		this.#nextPort = random % sourcePorts.count;
		this.#socket = open({
			interfaceIndex,
			filter: answerFilter(source),
			onBatch: (frames) => {
				for (const frame of frames) this.#deliver(frame);
			},
			onError: (error) => {
				onGone();
				this.close(error.message);
			},
		});
	}

	get isIdle(): boolean {
		return this.#waiters.size === 0;
	}

	/** Gives the waiter a port that no other has. There are far more of them than questions may be under way. */
	join(waiter: Waiter): number {
		let port: number;
		do {
			port = sourcePorts.first + this.#nextPort;
			this.#nextPort = (this.#nextPort + 1) % sourcePorts.count;
		} while (this.#waiters.has(port));
		this.#waiters.set(port, waiter);
		return port;
	}

	leave(port: number): void {
		this.#waiters.delete(port);
	}

	send(frame: Uint8Array): void {
		this.#socket.send(frame);
	}

	/** Tells whoever still waits. Twice is harmless. */
	close(detail: string): void {
		for (const waiter of [...this.#waiters.values()]) waiter.fail(detail);
		this.#socket.close();
	}

	#deliver(frame: Uint8Array): void {
		const answer = readAnswer(frame);
		switch (answer?.kind) {
			case undefined:
				return;
			case 'neighbour':
				for (const waiter of [...this.#waiters.values()]) waiter.hear(answer);
				return;
			case 'segment':
				this.#waiters.get(answer.segment.destinationPort)?.hear(answer);
				return;
			case 'unreachable':
				this.#waiters.get(answer.quote.sourcePort)?.hear(answer);
				return;
		}
	}
}
