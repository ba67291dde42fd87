/**
 * One thing that is so or so (a carrier, a bond's active slave, a neighbour), and how sure that is. It weighs a new
 * testimony against what is known and says whether that is a change; links.ts knows the things. PURE.
 */

export interface Testimony {
	by: 'hook' | 'notice' | 'look';
	/** The stretch in which it was so at some instant (CLOCK_MONOTONIC, microseconds); of a hook one instant. */
	sinceUs: number;
	untilUs: number;
	/** How often the thing had changed, where the kernel counts that: it orders testimonies better than any clock. */
	number?: number;
}

/**
 * A hook runs before what it tells of is done: a look that began this soon after it may still have seen the old value.
 * Both take microseconds; under emulation on a busy machine a task was seen to stand still for some milliseconds.
 */
const hookLeadUs = 20_000;

const never: Testimony = { by: 'look', sinceUs: Number.NEGATIVE_INFINITY, untilUs: Number.NEGATIVE_INFINITY };

export class Facet {
	value: string;
	/** When it became so; undefined where it was so when it was first looked at. */
	changedUs: number | undefined;
	#last: Testimony;

	constructor(value: string, first: Testimony = never) {
		this.value = value;
		this.#last = first;
	}

	/** How often it has changed by this testimony: 0 where that tells nothing new; or that it cannot be believed yet. */
	take(value: string, testimony: Testimony): number | 'doubtful' {
		if (testimony.number !== undefined && this.#last.number !== undefined)
			return this.#takeNumbered(value, testimony, testimony.number - this.#last.number);
		if (testimony.untilUs <= this.#last.sinceUs) return 0;
		if (value === this.value) return this.#confirm(testimony);
		return this.#isLater(testimony) ? this.#change(value, testimony, 1) : 'doubtful';
	}

	/** `ahead`: by how many changes the testimony is newer than what is known. */
	#takeNumbered(value: string, testimony: Testimony, ahead: number): number | 'doubtful' {
		if (ahead > 0) return this.#change(value, testimony, ahead);
		// A hook may have announced what did not come about (a driver that was not ready): a later look is right.
		const isRightAgain = testimony.by === 'look' && this.#isLater(testimony) && (ahead < 0 || value !== this.value);
		if (!isRightAgain) return 0;
		if (value !== this.value) return this.#change(value, testimony, 1);
		this.#last = testimony;
		return 0;
	}

	#isLater({ by, sinceUs }: Testimony): boolean {
		const leadUs = this.#last.by === 'hook' && by === 'look' ? hookLeadUs : 0;
		return sinceUs > this.#last.untilUs + leadUs;
	}

	#confirm(testimony: Testimony): number {
		const sinceUs = Math.max(this.#last.sinceUs, testimony.sinceUs);
		const later = testimony.untilUs > this.#last.untilUs ? testimony : this.#last;
		this.#last = { ...later, sinceUs };
		return 0;
	}

	#change(value: string, testimony: Testimony, times: number): number {
		this.value = value;
		this.changedUs = testimony.sinceUs;
		this.#last = testimony;
		return times;
	}
}
