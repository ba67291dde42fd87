/**
 * Every weight that is written on the director, by whom and in which order, as the audit hook tells it to an observer
 * beside ipvigil: what the journal says of weights is held against it.
 */
import { join } from 'node:path';
import type { WriteEvent } from '../../src/decode/event.js';
import { repository } from './place.js';
import type { Background, Lab, RealServer } from './scenario.js';
import { hostPort } from './topologies.js';

/** Node and the BPF programs load in 5 s under emulation. */
const openLimitMs = 60_000;

export class SeenWrites {
	readonly #process: Background;

	private constructor(process: Background) {
		this.#process = process;
	}

	/** Resolves when each write is seen from now on. */
	static async open(lab: Lab): Promise<SeenWrites> {
		const watch = join(repository, 'dist/test/lab/audit-watch.js');
		const process_ = lab.background(lab.topology.director, process.execPath, [watch]);
		await lab.until('the audit listens', openLimitMs, () => process_.lines[0]?.includes('"open"'));
		return new SeenWrites(process_);
	}

	/** What was written to the destination that IPVS names so, oldest first. */
	of(destination: string): WriteEvent[] {
		const lines = this.#process.lines.filter((line) => line.includes('"kind":"write"'));
		return lines
			.map((line) => JSON.parse(line) as WriteEvent)
			.filter((write) => write.result === 0 && hostPort(write.destination) === destination);
	}

	/** The weights that the process has written to the server, oldest first. */
	weights({ destination }: RealServer, by: Pick<Background, 'pid'>): number[] {
		return this.of(destination).flatMap(({ pid, newWeight }) => (pid === by.pid ? [newWeight] : []));
	}
}
