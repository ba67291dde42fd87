/**
 * Two marks in a network namespace of its own, for marked-socket.test.ts: a routing rule makes the network unreachable for
 * the one, and says nothing of the other. Prints what became of each.
 */
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { MarkedConnection, openMarkedDatagramSocket } from '../../src/addon/index.js';
import { refusalOf } from './fixture.js';

const ip = (...words: string[]) => execFileSync('ip', words);
const address = Uint8Array.of(198, 51, 100, 1);
const any = new Uint8Array(4);

ip('link', 'set', 'lo', 'up');
ip('address', 'add', '198.51.100.1/32', 'dev', 'lo');
// The table of local addresses stands first; behind the rule it is no longer asked for what is marked.
ip('rule', 'add', 'fwmark', '6', 'priority', '1', 'unreachable');
ip('rule', 'add', 'priority', '2', 'lookup', 'local');
ip('rule', 'delete', 'priority', '0');

function code(error: unknown): string {
	return (error as NodeJS.ErrnoException).code ?? String(error);
}

function connectMarked(mark: number): Promise<string> {
	return new Promise((resolve) => {
		try {
			const onConnect = () => resolve('connected');
			new MarkedConnection({ mark, address, port: 9, onConnect, onError: (error) => resolve(code(error)) });
		} catch (error) {
			resolve(code(error));
		}
	});
}

async function sendMarked(mark: number): Promise<string> {
	const socket = createSocket('udp4');
	socket.bind({ fd: openMarkedDatagramSocket({ mark, source: any }) });
	const outcome = await new Promise<string>((resolve) => {
		socket.send('x', 9, '198.51.100.1', (error) => resolve(error ? code(error) : 'sent'));
	});
	socket.close();
	return outcome;
}

for (const mark of [6, 7]) process.stdout.write(`tcp ${mark}: ${await connectMarked(mark)}\n`);
for (const mark of [6, 7]) process.stdout.write(`udp ${mark}: ${await sendMarked(mark)}\n`);
process.setuid?.(65_534);
const [denied] = refusalOf(() => openMarkedDatagramSocket({ mark: 7, source: any })).split(' ');
process.stdout.write(`without the right: ${denied}\n`);
