/**
 * The clock of decisions: CLOCK_BOOTTIME in milliseconds, which /proc/uptime shows too, so that a lease's end means the
 * same to the daemon and to the shell helper.
 */
import { bootNs } from '../addon/index.js';

export function bootMs(): number {
	return Number(bootNs() / 1_000n) / 1_000;
}
