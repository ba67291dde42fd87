/**
 * A small network in namespaces of this run: clients - director - two servers, joined by veth pairs. The director
 * routes; there is no IPVS in it, so a client asks the server's own address. Everything is gone with close().
 */
import { exec } from './processes.js';

export const address = {
	client: '10.9.0.2',
	server: '10.1.0.11',
	otherServer: '10.2.0.11',
	/** The director towards either server. */
	back: '10.1.0.1',
	otherBack: '10.2.0.1',
} as const;

/** The director's interfaces towards the servers. */
export const link = { back: 'back0', otherBack: 'back1' } as const;

/** Where spoofed packets claim to go: RFC 2544's range for benchmarks, which the director throws away. */
export const spoofedPrefix = '198.18.0.0/15';

export type Place = 'client' | 'director' | 'server' | 'otherServer';
const places: readonly Place[] = ['client', 'director', 'server', 'otherServer'];

export class Network {
	static async open(): Promise<Network> {
		const network = new Network();
		try {
			await network.#build();
		} catch (error) {
			await network.close();
			throw error;
		}
		return network;
	}

	/** The namespace of a place. The process id keeps two benchmarks apart. */
	name(place: Place): string {
		return `bench${process.pid}-${place}`;
	}

	async close(): Promise<void> {
		for (const place of places) await exec(undefined, 'ip', 'netns', 'del', this.name(place)).catch(() => undefined);
	}

	async #build(): Promise<void> {
		for (const place of places) await exec(undefined, 'ip', 'netns', 'add', this.name(place));
		await this.#join('client', 'eth0', 'director', 'front0');
		await this.#join('director', link.back, 'server', 'eth0');
		await this.#join('director', link.otherBack, 'otherServer', 'eth0');
		await this.#settle('client', [`${address.client}/24 eth0`], 'default via 10.9.0.1');
		await this.#settle('server', [`${address.server}/24 eth0`], `default via ${address.back}`);
		await this.#settle('otherServer', [`${address.otherServer}/24 eth0`], `default via ${address.otherBack}`);
		const own = ['10.9.0.1/24 front0', `${address.back}/24 ${link.back}`, `${address.otherBack}/24 ${link.otherBack}`];
		await this.#settle('director', own, `blackhole ${spoofedPrefix}`);
		await exec(this.name('director'), 'sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward');
	}

	async #join(one: Place, oneLink: string, other: Place, otherLink: string): Promise<void> {
		const peer = ['peer', 'name', otherLink, 'netns', this.name(other)];
		await exec(undefined, 'ip', 'link', 'add', 'name', oneLink, 'netns', this.name(one), 'type', 'veth', ...peer);
	}

	async #settle(place: Place, addresses: string[], route: string): Promise<void> {
		const lines = ['ip link set lo up'];
		for (const each of addresses) {
			const [cidr, device] = each.split(' ');
			lines.push(`ip addr add ${cidr} dev ${device}`, `ip link set ${device} up`);
		}
		lines.push(`ip route add ${route}`);
		await exec(this.name(place), 'sh', '-ec', lines.join('\n'));
	}
}
