/**
 * The control API: HTTP and JSON over a Unix socket that only the owner of the process may open. Who asks, what is
 * known and what follows from it are the handlers' business; here a request is bounded, read, checked and answered.
 *
 *     GET  /v1/destinations/<name, percent-encoded>
 *     POST /v1/release   { "destination": NAME or "all" }
 *     POST /v1/hold      { "destination": NAME or "all", "forMs"?, "reason"? }
 *     POST /v1/resume    { "destination": NAME or "all" }
 *
 * An answer is an object; a refusal is { "error": a sentence, "next": what to do about it }.
 */
import { renameSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { closeServer, ListenError } from './http.js';

/** A person and a few scripts; who holds connections open must not keep the operator out for long. */
const connectionsMax = 16;
/** A client that says nothing for so long is cut off. */
const clientWaitMs = 5_000;
const headerBytesMax = 8_192;
/** A name and a reason. */
const bodyBytesMax = 8_192;
/** Longer than `fwmark 4294967295 inet6 > [an IPv6 address in full]:65535`. */
const nameLengthMax = 256;
const reasonLengthMax = 500;
/** More is "until it is resumed": a month is forgotten anyway. */
const holdMsMax = 31 * 24 * 3_600_000;

const name = z.string().min(1).max(nameLengthMax);
const bodies = {
	release: z.strictObject({ destination: name }),
	hold: z.strictObject({
		destination: name,
		forMs: z.number().int().positive().max(holdMsMax).optional(),
		/** It stands in one line of the journal, the log and `explain`. */
		reason: z
			.string()
			.max(reasonLengthMax)
			.regex(/^\P{Cc}*$/u, 'must be one line')
			.optional(),
	}),
	resume: z.strictObject({ destination: name }),
};

export type ControlVerb = keyof typeof bodies;
export type ControlRequest<V extends ControlVerb> = z.output<(typeof bodies)[V]>;

/** Each gives what is answered, or throws a `Refusal`. */
export type ControlHandlers = { [V in ControlVerb]: (request: ControlRequest<V>) => object } & {
	destination: (name: string) => object;
};

/** What cannot be done, and what the asker can do about it. */
export class Refusal extends Error {
	readonly status: number;
	readonly next: string;

	/** @param status 400 a request that makes no sense, 404 an unknown name, 409 one that may mean several. */
	constructor(status: number, message: string, next: string) {
		super(message);
		this.name = 'Refusal';
		this.status = status;
		this.next = next;
	}
}

export interface ControlServer {
	/** Ends all connections and removes the socket. */
	close(): Promise<void>;
}

export function controlSocket(runtimeDirectory: string): string {
	return join(runtimeDirectory, 'control.sock');
}

/**
 * Listens in the runtime directory, which is the caller's alone: a socket that is there already is a dead process's.
 * @param onError Told when a handler fails by a mistake of ours: the client gets a 500 without the inside story.
 * @throws ListenError
 */
export async function startControl(
	runtimeDirectory: string,
	handlers: ControlHandlers,
	onError: (error: Error) => void,
): Promise<ControlServer> {
	const server = createServer(
		{
			maxHeaderSize: headerBytesMax,
			headersTimeout: clientWaitMs,
			requestTimeout: clientWaitMs,
			keepAliveTimeout: clientWaitMs,
		},
		(request, response) => void answer(request, response, handlers, onError),
	);
	server.maxConnections = connectionsMax;
	const path = controlSocket(runtimeDirectory);
	await listen(server, path);
	return {
		close: async () => {
			await closeServer(server);
			rmSync(path, { force: true });
		},
	};
}

/** The socket is made with its mode, 0600, and named once it listens: at no time could somebody else have opened it. */
async function listen(server: Server, path: string): Promise<void> {
	const unnamed = `${path}.new`;
	try {
		rmSync(unnamed, { force: true });
		await new Promise<void>((resolve, reject) => {
			server.once('error', reject);
			// A path is bound before listen() returns; nothing else runs under this mask.
			const mask = process.umask(0o177);
			try {
				server.listen(unnamed, () => {
					server.removeAllListeners('error');
					resolve();
				});
			} finally {
				process.umask(mask);
			}
		});
		renameSync(unnamed, path);
	} catch (error) {
		server.close();
		const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException;
		throw new ListenError(code, `the control socket ${path} cannot be offered: ${message}`);
	}
}

async function answer(
	request: IncomingMessage,
	response: ServerResponse,
	handlers: ControlHandlers,
	onError: (error: Error) => void,
): Promise<void> {
	try {
		send(response, 200, await handle(request, handlers));
	} catch (error) {
		if (error instanceof Refusal) return send(response, error.status, { error: error.message, next: error.next });
		// The client has gone, or was cut off: nobody is left to be answered.
		if (request.socket.destroyed) return;
		onError(error as Error);
		send(response, 500, { error: 'the request could not be carried out', next: "See the log of ipvigil's daemon." });
	}
}

async function handle(request: IncomingMessage, handlers: ControlHandlers): Promise<object> {
	const [path = ''] = (request.url ?? '').split('?', 1);
	const named = /^\/v1\/destinations\/([^/]+)$/.exec(path)?.[1];
	if (named !== undefined) {
		only('GET', request);
		return handlers.destination(decoded(named));
	}
	switch (path) {
		case '/v1/release':
			return handlers.release(await read(request, bodies.release));
		case '/v1/hold':
			return handlers.hold(await read(request, bodies.hold));
		case '/v1/resume':
			return handlers.resume(await read(request, bodies.resume));
		default:
			throw new Refusal(
				404,
				`There is no ${path}.`,
				'There are /v1/destinations/NAME, /v1/release, /v1/hold, /v1/resume.',
			);
	}
}

function only(method: string, request: IncomingMessage): void {
	if (request.method !== method)
		throw new Refusal(405, `${request.method} is not understood here.`, `Only ${method} is.`);
}

function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		throw new Refusal(400, `"${text}" is not percent-encoded.`, 'Encode the name of the destination.');
	}
}

async function read<T>(request: IncomingMessage, schema: z.ZodType<T>): Promise<T> {
	only('POST', request);
	const parsed = schema.safeParse(json(await bodyOf(request)));
	if (parsed.success) return parsed.data;
	const [issue] = parsed.error.issues;
	const where = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
	throw new Refusal(400, `The request makes no sense: ${where}${issue?.message}.`, 'See ipvigil help hold.');
}

/** By events, because who leaves an iteration over a request early closes its connection, and nobody is told why. */
function bodyOf(request: IncomingMessage): Promise<string> {
	const parts: Buffer[] = [];
	let octets = 0;
	return new Promise((resolve, reject) => {
		request.on('data', (part: Buffer) => {
			octets += part.length;
			if (octets <= bodyBytesMax) parts.push(part);
			else reject(new Refusal(413, 'The request is too long.', `Send ${bodyBytesMax} octets at most.`));
		});
		request.once('end', () => resolve(Buffer.concat(parts).toString('utf8')));
		request.once('error', reject);
	});
}

function json(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		throw new Refusal(400, 'The request is no JSON.', 'Send an object with a "destination".');
	}
}

/** One question a connection: nobody talks here for long. */
function send(response: ServerResponse, status: number, body: object): void {
	const text = `${JSON.stringify(body)}\n`;
	response.writeHead(status, {
		'Content-Type': 'application/json',
		'Content-Length': Buffer.byteLength(text),
		Connection: 'close',
	});
	response.end(text);
}
