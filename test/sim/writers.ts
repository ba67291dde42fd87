/**
 * The others who write the table: a monitor like keepalived, which asks each server at its interval, reads the track
 * files that ipvigil puts before it, and sets weights back to what its configuration says; and an admin at a prompt.
 */
import { readdirSync } from 'node:fs';
import { leaseName } from '../../src/remedy/lease-file.js';
import type { Destination, Service, ServiceAddress } from '../../src/table/model.js';
import type { Random } from '../support/random.js';
import { trackDirectory } from './agent.js';
import type { Scene } from './scene.js';

/** inotify, and the scheduler of keepalived. */
const trackEveryMs = 400;
const monitorTimeoutMs = 3_000;

interface Checked {
	service: ServiceAddress;
	configured: Destination;
	isUp: boolean;
	tracked: boolean;
	/** As the monitor last wrote it. */
	isIn: boolean;
}

export class Monitor {
	readonly #scene: Scene;
	readonly #random: Random;
	readonly #checked: Checked[];

	constructor(scene: Scene, random: Random) {
		this.#scene = scene;
		this.#random = random;
		this.#checked = scene.plan.services.flatMap(({ address: service, destinations }) =>
			destinations.map((configured) => ({ service, configured, isUp: true, tracked: false, isIn: true })),
		);
	}

	begin(): void {
		const { plan, scheduler } = this.#scene;
		if (plan.monitor === 'none') return;
		for (const one of this.#checked)
			scheduler.after(this.#random.between(0, plan.monitorEveryMs), () => this.#check(one));
		if (plan.binding) scheduler.after(trackEveryMs, () => this.#track());
	}

	#check(one: Checked): void {
		const { plan, scheduler, world } = this.#scene;
		const server = world.server(one.configured.address, one.configured.port);
		const met = server && world.probeMeets(server, true, monitorTimeoutMs);
		scheduler.after(met?.latencyMs ?? 0, () => {
			one.isUp = met?.outcome === 'accepted';
			this.#write(one);
		});
		scheduler.after(plan.monitorEveryMs, () => this.#check(one));
	}

	#track(): void {
		const files = new Set(readdirSync(trackDirectory(this.#scene)));
		for (const one of this.#checked) {
			one.tracked = files.has(leaseName({ service: one.service, destination: one.configured }));
			this.#write(one);
		}
		this.#scene.scheduler.after(trackEveryMs, () => this.#track());
	}

	/** Only what changes: keepalived leaves alone what it has not decided anew. */
	#write(one: Checked): void {
		const { plan, table } = this.#scene;
		const wanted = one.isUp && !one.tracked;
		if (wanted === one.isIn) return;
		one.isIn = wanted;
		const writer = { pid: 815, comm: 'keepalived', readMs: this.#scene.scheduler.nowMs };
		const { service, configured } = one;
		if (plan.monitor === 'removes') {
			if (wanted) table.add(service, configured, writer);
			else table.delete(service, configured, writer);
		} else table.edit(service, { ...configured, weight: wanted ? configured.weight : 0 }, writer);
	}
}

export class Admin {
	readonly #scene: Scene;
	readonly #random: Random;

	constructor(scene: Scene, random: Random) {
		this.#scene = scene;
		this.#random = random;
	}

	begin(): void {
		const { plan, scheduler } = this.#scene;
		if (!Number.isFinite(plan.adminEveryMs)) return;
		const again = () => {
			this.#write();
			scheduler.after(this.#random.exponential(plan.adminEveryMs), again);
		};
		scheduler.after(this.#random.exponential(plan.adminEveryMs), again);
	}

	#write(): void {
		const { table, scheduler } = this.#scene;
		const random = this.#random;
		const service = table.services[random.below(table.services.length)];
		if (!service) return;
		const destination = service.destinations[random.below(service.destinations.length || 1)];
		if (!destination) return;
		const writer = { pid: 20_000 + random.below(10_000), comm: 'ipvsadm', readMs: scheduler.nowMs };
		const edit = (weight: number) => table.edit(service.address, { ...destination, weight }, writer);
		random.pick<() => void>([
			() => edit(destination.weight),
			() => edit(destination.weight),
			() => edit(1 + random.below(50)),
			() => edit(0),
			() => edit(configuredWeight(this.#scene.plan.services, service, destination)),
			() => this.#removeAndAdd(service, destination, writer),
		])();
	}

	#removeAndAdd(
		service: Service,
		destination: Destination,
		writer: { pid: number; comm: string; readMs: number },
	): void {
		const { table, scheduler, plan } = this.#scene;
		const weight = configuredWeight(plan.services, service, destination);
		table.delete(service.address, destination, writer);
		scheduler.after(this.#random.exponential(3_000), () =>
			table.add(service.address, { ...destination, weight }, { ...writer, readMs: scheduler.nowMs }),
		);
	}
}

function configuredWeight(services: Service[], { address }: Service, { address: server, port }: Destination): number {
	const configured = services.find((one) => one.address === address);
	return configured?.destinations.find((one) => one.address === server && one.port === port)?.weight ?? 1;
}
