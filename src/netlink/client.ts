/**
 * The one place where netlink bytes leave and arrive: a client that sends one request at a time over a socket and gives
 * back what the codec reads from the answers. It numbers requests, assembles dumps, keeps time, and repeats a *reading*
 * whose answer was lost or torn; a write is never repeated, because by then someone else may have written. What the
 * messages mean is the codecs' business.
 *
 * One at a time is no loss: the kernel works a request off inside send(), and allows one dump per socket.
 */
import { getSystemErrorName } from 'node:util';
import { NetlinkError } from './errors.js';
import {
	frameRequest,
	type KernelError,
	type Message,
	messageFlag,
	messageType,
	readDone,
	readError,
	readMessages,
} from './message.js';
import { type NetlinkHandle, type OpenSocket, openKernelSocket } from './socket.js';

/** What to send and how to read the answers. `read` gives undefined for an answer that makes no sense. */
export interface Request<T> {
	/** For errors: "IPVS GET_SERVICE". */
	name: string;
	type: number;
	/**
	 * dump   many answers, closed by the kernel's "done"
	 * get    one answer
	 * write  no answer but the acknowledgement
	 */
	kind: 'dump' | 'get' | 'write';
	body: Uint8Array;
	read: (message: Message) => T | undefined;
}

export interface ClientOptions {
	/** Default 5,000 ms: a director whose IPVS mutex is held longer than that has other troubles. */
	timeoutMs?: number;
	openSocket?: OpenSocket;
}

interface Pending {
	readonly request: Request<unknown>;
	readonly answers: unknown[];
	sequence: number;
	attempts: number;
	torn: boolean;
	resolve: (answers: unknown[]) => void;
	reject: (error: Error) => void;
}

const timeoutMsDefault = 5_000;
/** A reading is tried this often: a table that is torn three times running is being rewritten right now. */
const attemptsMax = 3;
/** Callers wait for each other one by one; a queue this long is a caller that forgot to wait. */
const waitingMax = 1_024;
const kindFlags = { dump: messageFlag.dump, get: 0, write: messageFlag.ack };
const retriedCodes = new Set(['ENOBUFS', 'EINTR', 'EBUSY']);

export class NetlinkClient {
	readonly #protocol: number;
	readonly #timeoutMs: number;
	readonly #openSocket: OpenSocket;
	readonly #waiting: Pending[] = [];
	#socket: NetlinkHandle | undefined;
	#current: Pending | undefined;
	#timer: NodeJS.Timeout | undefined;
	#sequence = 0;
	#closed = false;
	/** Entries of dumps that could not be read and were left out: told by `doctor` and the metrics. */
	unreadable = 0;

	constructor(protocol: number, options: ClientOptions = {}) {
		this.#protocol = protocol;
		this.#timeoutMs = options.timeoutMs ?? timeoutMsDefault;
		this.#openSocket = options.openSocket ?? openKernelSocket;
	}

	/** Resolves with what was read, in the kernel's order; rejects with a `NetlinkError`. */
	request<T>(request: Request<T>): Promise<T[]> {
		return new Promise<unknown[]>((resolve, reject) => {
			const pending = { request, answers: [], sequence: 0, attempts: 0, torn: false, resolve, reject };
			if (this.#closed) reject(new NetlinkError('NETLINK_CLOSED', 0, request.name));
			else if (this.#waiting.length >= waitingMax) reject(new NetlinkError('EBUSY', 0, request.name));
			else {
				this.#waiting.push(pending);
				this.#pump();
			}
		}) as Promise<T[]>;
	}

	/** Ends what is under way and what waits with NETLINK_CLOSED. Twice is harmless. */
	close(): void {
		this.#closed = true;
		this.#dropSocket();
		clearTimeout(this.#timer);
		const abandoned = [...(this.#current ? [this.#current] : []), ...this.#waiting.splice(0)];
		this.#current = undefined;
		for (const { request, reject } of abandoned) reject(new NetlinkError('NETLINK_CLOSED', 0, request.name));
	}

	#pump(): void {
		if (this.#current || this.#closed) return;
		const next = this.#waiting.shift();
		if (!next) return;
		this.#current = next;
		this.#send(next);
	}

	#send(pending: Pending): void {
		const { type, kind, body } = pending.request;
		this.#sequence = (this.#sequence + 1) >>> 0;
		pending.sequence = this.#sequence;
		pending.attempts += 1;
		pending.torn = false;
		pending.answers.length = 0;
		this.#timer = setTimeout(() => this.#onTimeout(), this.#timeoutMs);
		try {
			this.#socket ??= this.#open();
			this.#socket.send(frameRequest(type, kindFlags[kind], pending.sequence, body));
		} catch (error) {
			this.#onSocketError(error as NodeJS.ErrnoException);
		}
	}

	#open(): NetlinkHandle {
		return this.#openSocket(this.#protocol, [], {
			onBatch: (datagrams) => {
				for (const datagram of datagrams) this.#onDatagram(datagram);
			},
			onError: (error) => this.#onSocketError(error),
		});
	}

	/** A socket whose answer never came may still have a dump open: the next request gets a new one. */
	#dropSocket(): void {
		this.#socket?.close();
		this.#socket = undefined;
	}

	#onDatagram(datagram: Uint8Array): void {
		const { messages, malformed } = readMessages(datagram);
		const asked = this.#current;
		for (const message of messages) {
			const pending = this.#current;
			// What answers an earlier, abandoned request is nobody's any more.
			if (pending && message.sequence === pending.sequence) this.#onMessage(pending, message);
		}
		// The request that these messages completed must not cost the next one its life.
		if (malformed && this.#current === asked) this.#fail('NETLINK_MALFORMED', 0);
	}

	#onMessage(pending: Pending, message: Message): void {
		if ((message.flags & messageFlag.dumpInterrupted) !== 0 && pending.request.kind === 'dump') pending.torn = true;
		if (message.type === messageType.error) this.#onVerdict(pending, readError(message));
		else if (message.type === messageType.done) this.#onVerdict(pending, readDone(message));
		else if (message.type === messageType.overrun) this.#fail('ENOBUFS', 0);
		else if (message.type !== messageType.noop) this.#onAnswer(pending, message);
	}

	#onAnswer(pending: Pending, message: Message): void {
		const answer = pending.request.read(message);
		if (answer !== undefined) pending.answers.push(answer);
		else this.unreadable += 1;
		if (pending.request.kind !== 'get') return;
		if (answer === undefined) this.#fail('NETLINK_MALFORMED', 0);
		else this.#finish(pending);
	}

	#onVerdict(pending: Pending, verdict: KernelError | undefined): void {
		if (!verdict) this.#fail('NETLINK_MALFORMED', 0);
		else if (verdict.errno !== 0) this.#fail(getSystemErrorName(-verdict.errno), verdict.errno, verdict.text);
		else if (pending.torn) this.#fail('EINTR', 0);
		else this.#finish(pending);
	}

	#onTimeout(): void {
		this.#dropSocket();
		this.#fail('ETIMEDOUT', 0);
	}

	#onSocketError(error: NodeJS.ErrnoException): void {
		this.#dropSocket();
		this.#fail(error.code ?? 'EIO', Math.abs(error.errno ?? 0), error.code === 'ENOBUFS' ? undefined : error.message);
	}

	#finish(pending: Pending): void {
		this.#release();
		pending.resolve(pending.answers);
		this.#pump();
	}

	#fail(code: string, errno: number, detail?: string): void {
		const pending = this.#current;
		if (!pending) return;
		this.#release();
		if (retriedCodes.has(code) && pending.request.kind !== 'write' && pending.attempts < attemptsMax) {
			this.#current = pending;
			this.#send(pending);
			return;
		}
		pending.reject(new NetlinkError(code, errno, pending.request.name, detail));
		this.#pump();
	}

	#release(): void {
		clearTimeout(this.#timer);
		this.#current = undefined;
	}
}
