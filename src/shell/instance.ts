/**
 * One ipvigil for one runtime directory: two would give back each other's leases. A listening socket says "taken" for
 * exactly as long as its process lives, which no pid file can; what a dead one left behind is cleared away.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { OperatorError } from './errors.js';

const socketName = 'instance.sock';

export interface Instance {
	release(): void;
}

/** Whether an ipvigil runs with this runtime directory. */
export function isRunning(runtimeDirectory: string): Promise<boolean> {
	return answers(join(runtimeDirectory, socketName));
}

/** Takes the runtime directory, which is made where it is missing. @throws OperatorError */
export async function claim(runtimeDirectory: string): Promise<Instance> {
	const path = join(runtimeDirectory, socketName);
	if (await answers(path))
		throw new OperatorError(
			'busy',
			`Another ipvigil uses ${runtimeDirectory}.`,
			'Stop it, or give this one a runtimeDirectory of its own.',
		);
	const server = createServer((socket) => socket.destroy());
	try {
		mkdirSync(runtimeDirectory, { recursive: true, mode: 0o755 });
		rmSync(path, { force: true });
		await listen(server, path);
	} catch (error) {
		throw cannotUse(runtimeDirectory, error as NodeJS.ErrnoException);
	}
	server.unref();
	return { release: () => server.close() };
}

function cannotUse(runtimeDirectory: string, { code, message }: NodeJS.ErrnoException): OperatorError {
	return new OperatorError(
		code === 'EACCES' || code === 'EPERM' ? 'privileges' : 'failure',
		`The runtime directory ${runtimeDirectory} cannot be used: ${message}.`,
		'Run ipvigil as root, or configure a runtimeDirectory that it may write.',
	);
}

function answers(path: string): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(path);
		socket.once('connect', () => {
			socket.destroy();
			resolve(true);
		});
		socket.once('error', () => resolve(false));
	});
}

function listen(server: Server, path: string): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen(path, resolve);
	});
}
