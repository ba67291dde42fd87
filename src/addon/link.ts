/**
 * Programs at work. A `Link` keeps its program attached as long as it is open or pinned; a `ClsactFilter` until it is
 * closed. Both let go when the process ends, a ClsactFilter only when it ends by itself and not by a signal.
 */
import { unlinkSync } from 'node:fs';
import { binding, type NativeClsactFilter, type NativeLink } from './binding.js';
import { checkInstance, checkText } from './check.js';
import type { BpfObject } from './object.js';

/** What attaching gives, whichever way it went. */
export interface Attachment {
	/** Detaches what is not pinned. Twice is harmless. */
	close(): void;
}

/** A BPF link (bpf(2), BPF_LINK_CREATE). */
export class Link implements Attachment {
	readonly #native: NativeLink;
	#pinPath: string | undefined;

	/** For this layer only: links come from `BpfObject.attach…()` and `openPinned()`. */
	constructor(native: NativeLink, pinPath?: string) {
		this.#native = native;
		this.#pinPath = pinPath;
	}

	/** Takes over a link that an earlier process pinned. EINVAL: something else is pinned there. */
	static openPinned(path: string): Link {
		return new Link(binding().Link.openPinned(checkText(path, 'path')), path);
	}

	/** The kernel's number of this link, as in `bpftool link`. */
	get id(): number {
		return this.#native.describe().id;
	}

	/** The kernel's number of the program that is attached now. */
	get programId(): number {
		return this.#native.describe().programId;
	}

	/** `path` lies in a mounted bpffs, in a directory that exists; bpffs takes no name with a dot (EPERM). The attachment then outlives the process. */
	pin(path: string): void {
		this.#native.pin(checkText(path, 'path'));
		this.#pinPath = path;
	}

	/** Removes the pin, if there is one: `close()` then detaches. */
	unpin(): void {
		if (this.#pinPath === undefined) return;
		unlinkSync(this.#pinPath);
		this.#pinPath = undefined;
	}

	/** Puts another loaded program in place of the present one, atomically. XDP and tcx can; tracing links say EINVAL. */
	update(object: BpfObject, program: string): void {
		const native = checkInstance(object.native, binding().BpfObject, 'object');
		this.#native.update(native, checkText(program, 'program'));
	}

	close(): void {
		this.#native.close();
	}
}

/** A program on the ingress of a clsact qdisc (tc-bpf(8)). The qdisc stays: others may use it by now. */
export class ClsactFilter implements Attachment {
	readonly #native: NativeClsactFilter;

	/** For this layer only: filters come from `BpfObject.attachClsact()`. */
	constructor(native: NativeClsactFilter) {
		this.#native = native;
	}

	/** Whether our program still filters there: anybody may remove a filter, or the qdisc with all that is on it. */
	stands(): boolean {
		return this.#native.stands();
	}

	/** Removes our filter, unless somebody has put another program in its place. */
	close(): void {
		this.#native.close();
	}
}
