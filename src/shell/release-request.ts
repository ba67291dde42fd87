/**
 * The operator's wish that the hooks let go of ip_vs, as a file in the runtime directory: it stands until it is taken
 * back, across a restart too, a daemon that is not running yet obeys it, and a shell can make it (`touch`). It dies with
 * the machine, and with the module it was about.
 */
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const done = 'done\n';

export class ReleaseRequest {
	readonly path: string;

	constructor(runtimeDirectory: string) {
		this.path = join(runtimeDirectory, 'release-hooks');
	}

	/** Asks anew, so that what was acknowledged before is no answer. */
	make(): void {
		writeFileSync(this.path, '');
	}

	withdraw(): void {
		rmSync(this.path, { force: true });
	}

	get standing(): boolean {
		return existsSync(this.path);
	}

	/** Says that nothing of ours holds the module any more. */
	acknowledge(): void {
		if (this.acknowledged) return;
		// Not made anew where the operator has just taken it back.
		ifThere(() => {
			truncateSync(this.path);
			writeFileSync(this.path, done, { flag: 'r+' });
		});
	}

	get acknowledged(): boolean {
		return ifThere(() => readFileSync(this.path, 'utf8')) === done;
	}
}

/** The other side may take the file away at any moment: undefined then. */
function ifThere<T>(act: () => T): T | undefined {
	try {
		return act();
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
		throw error;
	}
}
