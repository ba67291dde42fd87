/**
 * Asks ports that nobody listens on, in a network namespace where the kernel hands out these alone: for
 * self-connect.test.ts. Prints what came of it, and how many connections stand in the end.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Origin } from '../../src/remedy/connection.js';
import { Prober } from '../../src/remedy/probe.js';

const port = 50_000;
execFileSync('ip', ['link', 'set', 'lo', 'up']);
writeFileSync('/proc/sys/net/ipv4/ip_local_port_range', `${port} ${port}`);

async function ask(address: string, origin: Origin): Promise<void> {
	const endpoint = { protocol: 'tcp', family: address.includes(':') ? 'inet6' : 'inet', address, port } as const;
	const asking = { method: 'connect', ...origin, request: 'ping', expect: 'ping' } as const;
	const { outcome, detail } = await new Prober().probe(endpoint, asking, 2_000);
	process.stdout.write(`${outcome} ${detail}\n`);
}

for (const origin of [{}, { mark: 7 }]) for (const address of ['127.0.0.1', '::1']) await ask(address, origin);

const connections = ['tcp', 'tcp6'].flatMap((table) =>
	readFileSync(`/proc/net/${table}`, 'utf8').trim().split('\n').slice(1),
);
process.stdout.write(`${connections.length} stand\n`);

// From the same port of another address of the machine it is another one that is met.
const server = createServer((socket) => socket.on('error', () => {}).end('ping')).listen(port, '127.0.0.2');
await once(server, 'listening');
await ask('127.0.0.2', { sourceAddress: '127.0.0.3' });
server.close();
