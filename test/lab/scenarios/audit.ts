/**
 * Who changed the table: ipvsadm, a caller of setsockopt and keepalived told apart, what they did to destinations and
 * services, what they were refused, and what was written while nobody listened.
 */

import { join } from 'node:path';
import type { HookState } from '../../../src/capture/availability.js';
import type { KernelEvent, ServiceEvent, WriteEvent } from '../../../src/decode/event.js';
import { startKeepalived } from '../keepalived.js';
import { repository } from '../place.js';
import type { Background, Lab, Scenario } from '../scenario.js';
import { setsockoptTool } from '../tools.js';
import { natIpv4 } from '../topologies.js';
import { lastWriters } from '../writers.js';

const openLimitMs = 60_000;
const eventLimitMs = 10_000;
const enoent = -2;
const esrch = -3;
const eexist = -17;

type Wanted = Partial<Omit<WriteEvent, 'kind'>> | Partial<Omit<ServiceEvent, 'kind'>>;

/** The agent's stand-in, and what it has told. */
class Watch {
	readonly #process: Background;
	#read = 0;

	private constructor(
		private readonly lab: Lab,
		process: Background,
	) {
		this.#process = process;
	}

	static async open(lab: Lab): Promise<Watch> {
		const watch = join(repository, 'dist/test/lab/audit-watch.js');
		const words = [watch, '/sys/fs/bpf/ipvigil'];
		return new Watch(lab, lab.background(lab.topology.director, process.execPath, words));
	}

	async opened(): Promise<{ adopted: boolean; hooks: HookState[] }> {
		const line = await this.lab.until('the audit answers', openLimitMs, () => this.#process.lines[this.#read]);
		this.#read++;
		const said = JSON.parse(line) as { kind: string; adopted: boolean; hooks: HookState[] };
		this.lab.expect(said.kind === 'open', 'the audit opens', said);
		return said;
	}

	/** The next event must be this one. */
	async next<Kind extends 'write' | 'service'>(kind: Kind, what: string, wanted: Wanted): Promise<void> {
		const line = await this.lab.until(`"${what}" is told`, eventLimitMs, () => this.#process.lines[this.#read]);
		this.#read++;
		const event = JSON.parse(line) as KernelEvent;
		const fits = (name: string, value: unknown) => JSON.stringify(Reflect.get(event, name)) === JSON.stringify(value);
		this.lab.expect(
			event.kind === kind && Object.entries(wanted).every(([name, value]) => fits(name, value)),
			`"${what}" is told as it was`,
			{ event, wanted },
		);
		this.lab.note(what);
	}

	async close(): Promise<void> {
		const ended = await this.#process.stop();
		const said = JSON.parse(this.#process.lines[this.#read] ?? '{}') as {
			kind: string;
			losses: Record<string, number>;
		};
		this.lab.expect(ended === 0 && said.kind === 'closed', 'nothing more was told, and the watch ends in order', said);
		this.lab.expect(
			Object.values(said.losses).every((count) => count === 0),
			'nothing was lost',
			said.losses,
		);
	}
}

const scenario: Scenario = {
	name: 'audit',
	sentence:
		'who wrote, added or removed a service or destination is told, by whichever way, refused or not, heard or not',
	topology: natIpv4({ servers: 2 }),
	limitMs: 240_000,
	async run(lab: Lab) {
		const first = await Watch.open(lab);
		const { adopted, hooks } = await first.opened();
		lab.expect(!adopted, 'nothing was there to take over');
		lab.expect(
			hooks.every(({ attached }) => attached),
			'every hook is attached',
			hooks,
		);
		await destinations(lab, first);
		await services(lab, first);
		await first.close();
		const second = await meanwhile(lab);
		await monitor(lab, second);
		await second.close();
	},
};

const service = { kind: 'address', protocol: 'tcp', family: 'inet', address: '10.0.0.100', port: 80 } as const;
const destination = { address: '10.1.0.11', port: 8080 };

/** `ipvsadm -e` of r1. */
function edit(lab: Lab, weight: number, at = '10.1.0.11:8080'): Promise<string> {
	return lab.director.ipvsadm('-e', '-t', '10.0.0.100:80', '-r', at, '-m', '-w', String(weight));
}

function setsockopt(lab: Lab, words: string): Promise<string> {
	return lab.exec(lab.topology.director, setsockoptTool, ...words.split(' '));
}

async function refused(lab: Lab, what: string, attempt: Promise<string>): Promise<void> {
	const outcome = await attempt.then(
		() => 'done',
		() => 'refused',
	);
	lab.expect(outcome === 'refused', `${what} is refused`);
}

async function destinations(lab: Lab, watch: Watch): Promise<void> {
	const ipvsadm = { comm: 'ipvsadm', uid: 0, via: 'netlink', result: 0 } as const;
	await edit(lab, 7);
	const from = { service, destination, operation: 'edit' } as const;
	await watch.next('write', 'ipvsadm 100 to 7', {
		...ipvsadm,
		...from,
		parentComm: 'node',
		oldWeight: 100,
		newWeight: 7,
	});
	await edit(lab, 7);
	await watch.next('write', 'ipvsadm 7 again', { ...ipvsadm, ...from, oldWeight: 7, newWeight: 7 });
	await setsockopt(lab, 'edit 10.0.0.100 80 10.1.0.11 8080 9');
	await watch.next('write', 'setsockopt 7 to 9', {
		...from,
		comm: 'setsockopt',
		via: 'setsockopt',
		result: 0,
		oldWeight: 7,
		newWeight: 9,
	});
	const before = await lastWriters(lab);
	await refused(lab, 'an edit of a stranger', edit(lab, 5, '10.1.0.99:8080'));
	await watch.next('write', 'ipvsadm refused', {
		...ipvsadm,
		service,
		destination: { address: '10.1.0.99', port: 8080 },
		operation: 'edit',
		oldWeight: -1,
		newWeight: 5,
		result: enoent,
	});
	await refused(lab, 'a second add', setsockopt(lab, 'add 10.0.0.100 80 10.1.0.11 8080 5'));
	await watch.next('write', 'setsockopt add refused', { ...from, operation: 'add', newWeight: 5, result: eexist });
	await refused(lab, 'a delete of a stranger', setsockopt(lab, 'delete 10.0.0.100 80 10.1.0.99 8080 5'));
	await watch.next('write', 'setsockopt delete refused', { operation: 'delete', newWeight: -1, result: enoent });
	lab.expect((await lastWriters(lab)) === before, 'what was refused does not count as a word', before);
	lab.expect(/ 10\.1\.0\.11:8080 .*weight=9 writes=3 comm=setsockopt/.test(before), 'the last writer is known', before);
	await lab.director.ipvsadm('-d', '-t', '10.0.0.100:80', '-r', '10.1.0.11:8080');
	await watch.next('write', 'ipvsadm delete', {
		...ipvsadm,
		...from,
		operation: 'delete',
		oldWeight: 9,
		newWeight: -1,
	});
	await setsockopt(lab, 'add 10.0.0.100 80 10.1.0.11 8080 4');
	await watch.next('write', 'setsockopt add', { ...from, operation: 'add', oldWeight: -1, newWeight: 4, result: 0 });
}

async function services(lab: Lab, watch: Watch): Promise<void> {
	const by = { comm: 'ipvsadm', via: 'netlink', result: 0 } as const;
	const other = { ...service, port: 81 };
	const say = (words: string) => lab.director.ipvsadm(...words.split(' '));
	await say('-A -t 10.0.0.100:81 -s rr');
	await watch.next('service', 'a service added', { ...by, operation: 'add', service: other });
	await refused(lab, 'the same service', say('-A -t 10.0.0.100:81 -s rr'));
	await watch.next('service', 'the same refused', { ...by, operation: 'add', service: other, result: eexist });
	await say('-E -t 10.0.0.100:81 -s wrr');
	await watch.next('service', 'a service edited', { ...by, operation: 'edit', service: other });
	await say('-D -t 10.0.0.100:81');
	await watch.next('service', 'a service deleted', { ...by, operation: 'delete', service: other });
	await refused(lab, 'what is gone', say('-D -t 10.0.0.100:81'));
	await watch.next('service', 'a delete refused', { ...by, operation: 'delete', service: other, result: esrch });
	const mark = { kind: 'fwmark', family: 'inet6', fwmark: 7 } as const;
	await say('-A -f 7 -6 -s rr');
	await watch.next('service', 'a mark added', { ...by, operation: 'add', service: mark });
	await say('-D -f 7 -6');
	await watch.next('service', 'a mark deleted', { ...by, operation: 'delete', service: mark });
	const six = { ...service, family: 'inet6', address: 'fd00::1' } as const;
	await say('-A -t [fd00::1]:80 -s rr');
	await watch.next('service', 'an IPv6 service added', { ...by, operation: 'add', service: six });
	const old = { comm: 'setsockopt', via: 'setsockopt', result: 0 } as const;
	await setsockopt(lab, 'add-service 10.0.0.100 82');
	await watch.next('service', 'setsockopt adds', { ...old, operation: 'add', service: { ...service, port: 82 } });
	await setsockopt(lab, 'edit-service 10.0.0.100 82');
	await watch.next('service', 'setsockopt edits', { ...old, operation: 'edit', service: { ...service, port: 82 } });
	await setsockopt(lab, 'delete-service 10.0.0.100 82');
	await watch.next('service', 'setsockopt deletes', { ...old, operation: 'delete', service: { ...service, port: 82 } });
}

/** Nobody listens: what is written then waits in the ring for the next one. */
async function meanwhile(lab: Lab): Promise<Watch> {
	await edit(lab, 4);
	await setsockopt(lab, 'edit 10.0.0.100 80 10.1.0.11 8080 11');
	await lab.director.ipvsadm('-C');
	lab.note('while nobody listens, ipvsadm writes the same value, setsockopt another one, and the table is cleared');
	const second = await Watch.open(lab);
	const { adopted } = await second.opened();
	lab.expect(adopted, 'the hooks of the first are taken over');
	const from = { service, destination, operation: 'edit' } as const;
	await second.next('write', 'unheard ipvsadm', {
		...from,
		comm: 'ipvsadm',
		via: 'netlink',
		oldWeight: 4,
		newWeight: 4,
	});
	await second.next('write', 'unheard setsockopt', { ...from, comm: 'setsockopt', via: 'setsockopt', newWeight: 11 });
	for (const { node } of lab.topology.servers)
		await second.next('write', `cleared ${node}`, { operation: 'delete', comm: 'ipvsadm', via: 'netlink' });
	await second.next('service', 'a flush', { operation: 'flush', comm: 'ipvsadm', via: 'netlink', result: 0 });
	return second;
}

async function monitor(lab: Lab, watch: Watch): Promise<void> {
	await Promise.all(lab.servers.map((server) => server.start()));
	const keepalived = await startKeepalived(lab);
	const by = { comm: 'keepalived', via: 'netlink', result: 0 } as const;
	await watch.next('service', 'keepalived adds its service', { ...by, operation: 'add', service });
	for (const { node } of lab.topology.servers)
		await watch.next('write', `keepalived adds ${node}`, { ...by, operation: 'add', newWeight: 100 });
	await keepalived.process.stop();
	for (const { node } of lab.topology.servers)
		await watch.next('write', `keepalived takes ${node} out`, { ...by, operation: 'delete', oldWeight: 100 });
	await watch.next('service', 'keepalived takes its service out', { ...by, operation: 'delete', service });
}

export default scenario;
