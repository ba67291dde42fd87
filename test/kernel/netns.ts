/**
 * Three network namespaces in a row, client - router - server, made for one test and gone after it: the router forwards
 * as a director does in NAT, and the server has no listener, so a connect is truly refused. Needs root and iproute2.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';

export const clientAddress = '10.9.0.2';
export const serverAddress = '10.9.1.11';
export const closedPort = 8080;
/** The router's interface on the server's side. */
export const serverSide = 'eth-server';

/** No command of a test takes longer; a hanging one shall not hang the run. */
const commandTimeoutMs = 10_000;

export class Row {
	readonly #prefix = `ipvigil-${process.pid}-`;
	#made: string[] = [];

	constructor() {
		for (const name of ['client', 'router', 'server']) this.#addNamespace(name);
		this.#addLink('client', '10.9.0.2', '10.9.0.1', 'eth-client');
		this.#addServerSide();
		this.run('router', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
	}

	namespace(name: string): string {
		return `${this.#prefix}${name}`;
	}

	/** Runs a command in a namespace and returns what it printed; throws where it fails. */
	run(name: string, ...command: string[]): string {
		const argv = ['netns', 'exec', this.namespace(name), ...command];
		return execFileSync('ip', argv, { encoding: 'utf8', timeout: commandTimeoutMs, stdio: 'pipe' });
	}

	spawn(name: string, ...command: string[]): ChildProcess {
		const argv = ['netns', 'exec', this.namespace(name), ...command];
		return spawn('ip', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
	}

	/** One connect from the client to the server's closed port; throws unless it was refused. */
	connectRefused(): void {
		const socket = `require('node:net').connect(${closedPort}, '${serverAddress}')`;
		const verdict = `({ code }) => process.exit(code === 'ECONNREFUSED' ? 0 : 1)`;
		this.run('client', process.execPath, '-e', `${socket}.on('error', ${verdict})`);
	}

	/** The router's interface on the server's side, and its peer, are others from now on, by the same names. */
	renewServerSide(): void {
		this.run('router', 'ip', 'link', 'delete', serverSide);
		this.#addServerSide();
	}

	remove(): void {
		for (const namespace of this.#made.splice(0)) execFileSync('ip', ['netns', 'delete', namespace]);
	}

	#addServerSide(): void {
		this.#addLink('server', serverAddress, '10.9.1.1', serverSide);
	}

	#addNamespace(name: string): void {
		execFileSync('ip', ['netns', 'add', this.namespace(name)]);
		this.#made.push(this.namespace(name));
		this.run(name, 'ip', 'link', 'set', 'lo', 'up');
	}

	/** A veth from `end` to the router, with jumbo frames, and the default route through it. */
	#addLink(end: string, address: string, routerAddress: string, routerInterface: string): void {
		const veth = ['ip', 'link', 'add', routerInterface, 'mtu', '9000', 'type', 'veth', 'peer', 'name', 'eth0'];
		this.run('router', ...veth, 'mtu', '9000', 'netns', this.namespace(end));
		this.run('router', 'ip', 'address', 'add', `${routerAddress}/24`, 'dev', routerInterface);
		this.run('router', 'ip', 'link', 'set', routerInterface, 'up');
		this.run(end, 'ip', 'address', 'add', `${address}/24`, 'dev', 'eth0');
		this.run(end, 'ip', 'link', 'set', 'eth0', 'up');
		this.run(end, 'ip', 'route', 'add', 'default', 'via', routerAddress);
	}
}
