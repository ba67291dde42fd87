/**
 * The clock of decisions: CLOCK_BOOTTIME in milliseconds, which /proc/uptime shows too, so that a lease's end means the
 * same to the daemon and to the shell helper. And what the kernel's own times (CLOCK_MONOTONIC) are on other clocks.
 */
import { bootNs, monotonicNs } from '../addon/index.js';

export function bootMs(): number {
	return Number(bootNs() / 1_000n) / 1_000;
}

export interface ClockOffsets {
	/** Added to an event's time this gives microseconds since 1970. */
	epochOffsetUs: number;
	/** Added to an event's time this gives the boot clock's. */
	bootOffsetUs: number;
}

/** As they are now: a suspend, or a step of the time of day, changes them. */
export function clockOffsets(): ClockOffsets {
	const monotonicUs = Number(monotonicNs() / 1_000n);
	return {
		epochOffsetUs: Math.floor((performance.timeOrigin + performance.now()) * 1_000) - monotonicUs,
		bootOffsetUs: Number(bootNs() / 1_000n) - monotonicUs,
	};
}
