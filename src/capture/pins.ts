/**
 * The directory on bpffs in which maps and links outlive the agent: one folder per EVENTS_VERSION, so that a reader
 * never adopts what was laid out for another. It knows names and paths, not what is behind them.
 */
import { existsSync, mkdirSync, readdirSync, rmdirSync, statfsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { EVENTS_VERSION } from '../decode/layout.generated.js';

/** BPF_FS_MAGIC (include/uapi/linux/magic.h). */
const bpffsMagic = 0xcafe4a11;

/** The directory is not on a BPF file system: nothing could be pinned there. */
export class NotBpffsError extends Error {
	readonly code = 'NO_BPFFS';

	constructor(directory: string) {
		super(`${directory} is not on a BPF file system`);
		this.name = 'NotBpffsError';
	}
}

export class PinDirectory {
	readonly #root: string;
	readonly #current: string;

	/** `root` is ours alone: folders of other versions in it are cleaned. Throws NotBpffsError. */
	constructor(root: string) {
		this.#root = root;
		this.#current = join(root, `v${EVENTS_VERSION}`);
		mkdirSync(this.#current, { recursive: true, mode: 0o700 });
		if (statfsSync(this.#current).type !== bpffsMagic) {
			this.removeAll();
			throw new NotBpffsError(root);
		}
	}

	path(name: string): string {
		return join(this.#current, name);
	}

	has(name: string): boolean {
		return existsSync(this.path(name));
	}

	/** Folders that another version left behind: `v0`, `v2`. */
	stale(): string[] {
		return readdirSync(this.#root).filter((name) => /^v\d+$/.test(name) && name !== `v${EVENTS_VERSION}`);
	}

	/** Unpins what other versions left, which detaches their programs; the folders' names. */
	removeStale(): string[] {
		const stale = this.stale();
		for (const folder of stale) removeFolder(join(this.#root, folder));
		return stale;
	}

	/** Unpins everything of this version; what nobody else holds open is detached and freed. */
	removeAll(): void {
		removeFolder(this.#current);
		if (readdirSync(this.#root).length === 0) rmdirSync(this.#root);
	}
}

/** bpffs folders hold only files here, so one level is enough; anything else makes rmdir fail, and is told. */
function removeFolder(folder: string): void {
	if (!existsSync(folder)) return;
	for (const name of readdirSync(folder)) unlinkSync(join(folder, name));
	rmdirSync(folder);
}
