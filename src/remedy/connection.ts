/**
 * A TCP connection to be asked on, from an address and with a firewall mark of choice: Node's own where it can, the
 * addon's where a mark is wanted, until it stands. Its end is a RST, so that thousands of probes leave no TIME_WAIT.
 * One that met itself is a refusal: where the server is the director itself and its port is one that the kernel hands out,
 * a connect() that nobody listens for may be given that very port, and is its own peer then (RFC 9293 §3.5, figure 7).
 */
import { connect, Socket } from 'node:net';
import { isSystemError, MarkedConnection } from '../addon/index.js';
import type { Asking } from '../judge/asking.js';
import type { Endpoint } from '../table/model.js';
import { addressOctets } from './vip-octets.js';

export type Origin = Pick<Asking, 'sourceAddress' | 'mark'>;

export interface ConnectionEvents {
	/** Another one than itself has accepted it. */
	onConnect: (socket: Socket) => void;
	/** Before or after the connection stands, and possibly after its end. */
	onError: (error: NodeJS.ErrnoException) => void;
}

/** What ends it, at any time. Throws what the kernel says at once. */
export function openConnection(to: Endpoint, origin: Origin, events: ConnectionEvents): () => void {
	const { sourceAddress, mark } = origin;
	if (mark !== undefined) return openMarked(to, { sourceAddress, mark }, events);
	const { address: host, family, port } = to;
	const options = { host, port, family: family === 'inet6' ? 6 : 4, autoSelectFamily: false };
	const socket = connect(sourceAddress === undefined ? options : { ...options, localAddress: sourceAddress });
	// Stays for the socket's life: the reset may still report an error after the answer.
	socket.on('error', events.onError);
	socket.once('connect', () => stand(socket, events));
	return () => hangUp(socket);
}

function openMarked(to: Endpoint, { sourceAddress, mark }: Origin & { mark: number }, events: ConnectionEvents) {
	let socket: Socket | undefined;
	const connection = new MarkedConnection({
		mark,
		source: sourceAddress === undefined ? undefined : addressOctets(sourceAddress),
		address: addressOctets(to.address),
		port: to.port,
		onConnect: (fd) => {
			socket = new Socket({ fd, readable: true, writable: true }).on('error', events.onError);
			stand(socket, events);
		},
		onError: events.onError,
	});
	return () => {
		connection.close();
		if (socket) hangUp(socket);
	};
}

function stand(socket: Socket, { onConnect, onError }: ConnectionEvents): void {
	const { localAddress, localPort, remoteAddress, remotePort } = socket;
	if (localPort !== remotePort || localAddress !== remoteAddress) onConnect(socket);
	else onError(Object.assign(new Error('it met itself: nobody listens there'), { code: 'ECONNREFUSED' }));
}

/** A socket that is still connecting would keep its reset for later, and live on until the kernel gives up. */
function hangUp(socket: Socket): void {
	if (socket.connecting || socket.destroyed) socket.destroy();
	else socket.resetAndDestroy();
}

/** The system's sentence; it does not say which right a mark takes. */
export function originProblem(error: unknown): string {
	const message = error instanceof Error ? error.message : String(error);
	const isAboutMark = isSystemError(error) && error.code === 'EPERM' && error.syscall === 'setsockopt';
	return isAboutMark ? `a mark takes CAP_NET_ADMIN: ${message}` : message;
}
