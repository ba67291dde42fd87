/** A server's or a client's hands in its namespace: listens, stops listening, connects. */
import { connect, createServer, type Server } from 'node:net';
import { answer, onMessage } from './lines.js';

const listeners = new Map<number, Server>();

function listen(address: string, port: number): void {
	const server = createServer((socket) => socket.on('error', () => socket.destroy()).resume());
	listeners.set(port, server);
	server.listen({ port, host: address, backlog: 511 }, () => answer({ kind: 'listening', port }));
}

/** Closing the listener is what a killed process looks like from outside: the kernel answers RST from then on. */
function close(port: number): void {
	const server = listeners.get(port);
	listeners.delete(port);
	server?.close();
	answer({ kind: 'closed', port });
}

function ask(address: string, port: number): void {
	const socket = connect(port, address);
	const end = (result: string) => {
		answer({ kind: 'asked', result });
		socket.destroy();
	};
	socket.once('connect', () => end('accepted'));
	socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
}

const actions: Record<string, (address: string, port: number) => void> = {
	listen,
	close: (_, port) => close(port),
	ask,
};

onMessage(({ action, address, port }) => actions[String(action)]?.(String(address), Number(port)));
answer({ kind: 'ready' });
