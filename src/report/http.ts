/**
 * /metrics and /healthz over HTTP, on the loopback interface unless told otherwise. It only reads; there is nothing to
 * control here. Everything a client can do is bounded: connections, header time, request time, and no body is read.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.js';

export interface HttpOptions {
	/** `127.0.0.1:9478` or `[::1]:9478`; port 0 takes any free one. */
	listen: string;
	metrics: Metrics;
	/** Whether ipvigil does its work, and if not, what is wrong. */
	health: () => { ok: boolean; detail: string };
	/** Told when a scrape fails: the client gets a 500 without the inside story. */
	onError: (error: Error) => void;
}

export interface HttpServer {
	/** Where it listens, with the port that was taken. */
	address: AddressInfo;
	/** Ends all connections, idle ones and busy ones. */
	close(): Promise<void>;
}

/** The world's refusal to let us listen; `code` is the system's (EADDRINUSE, EACCES, EADDRNOTAVAIL). */
export class ListenError extends Error {
	readonly code: string;

	constructor(code: string, message: string) {
		super(message);
		this.name = 'ListenError';
		this.code = code;
	}
}

/** A pair of Prometheus servers, a probe of /healthz and a curious operator are far below it. */
const connectionsMax = 32;
/** A client that says nothing for so long is cut off. */
const clientWaitMs = 5_000;
/** A scrape sends a few hundred octets of headers. */
const headerBytesMax = 8_192;

/** @throws ListenError */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
	const { host, port } = parseListen(options.listen);
	const server = createServer(
		{
			maxHeaderSize: headerBytesMax,
			headersTimeout: clientWaitMs,
			requestTimeout: clientWaitMs,
			keepAliveTimeout: clientWaitMs,
		},
		(request, response) => {
			void answer(request, response, options).catch((error: Error) => {
				options.onError(error);
				if (response.headersSent) response.destroy();
				else send(response, 500, 'text/plain', 'the metrics could not be read; see the log\n');
			});
		},
	);
	server.maxConnections = connectionsMax;
	await listening(server, host, port, options.listen);
	return { address: server.address() as AddressInfo, close: () => closeServer(server) };
}

function parseListen(listen: string): { host: string; port: number } {
	const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(listen);
	if (!match || Number(match[3]) > 65_535)
		throw new ListenError('EINVAL', `"${listen}" is no ADDRESS:PORT or [ADDRESS]:PORT to listen on`);
	return { host: (match[1] ?? match[2]) as string, port: Number(match[3]) };
}

function listening(server: Server, host: string, port: number, listen: string): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, listen)));
		server.listen({ host, port }, () => {
			server.removeAllListeners('error');
			resolve();
		});
	});
}

function explain(error: NodeJS.ErrnoException, listen: string): ListenError {
	const code = error.code ?? 'UNKNOWN';
	if (code !== 'EADDRINUSE')
		return new ListenError(code, `the metrics cannot be offered on ${listen}: ${error.message}`);
	return new ListenError(
		code,
		`${listen} is taken: another program, or another ipvigil, listens there ("ss -ltnp" shows it); set metrics.listen to a free port`,
	);
}

async function answer(
	request: IncomingMessage,
	response: ServerResponse,
	{ metrics, health }: HttpOptions,
): Promise<void> {
	const path = (request.url ?? '').split('?', 1)[0];
	if (path !== '/metrics' && path !== '/healthz')
		return send(response, 404, 'text/plain', 'there are /metrics and /healthz\n');
	if (request.method !== 'GET') {
		response.setHeader('Allow', 'GET');
		return send(response, 405, 'text/plain', 'only GET\n');
	}
	if (path === '/metrics') return send(response, 200, metrics.contentType, await metrics.text());
	const { ok, detail } = health();
	send(response, ok ? 200 : 503, 'text/plain', `${detail}\n`);
}

function send(response: ServerResponse, status: number, contentType: string, text: string): void {
	response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(text) });
	response.end(text);
}

export function closeServer(server: Server): Promise<void> {
	return new Promise((resolve) => {
		server.close(() => resolve());
		server.closeAllConnections();
	});
}
