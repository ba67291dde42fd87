/** The lines of `ipvigil doctor` as text and as JSON. */
import { exits } from '../../errors.js';
import { type Colour, grid, paint } from '../grid.js';
import { type Check, exitOf, type Status, summary } from './check.js';

const colourOf: Record<Status, Colour> = { ok: 'green', degraded: 'yellow', missing: 'red' };

/** The remedy has a line of its own under what it remedies: it is often a command to be copied. */
export function renderChecks(checks: readonly Check[], colours: boolean): string {
	const rows = checks.flatMap(({ check, status, reason, remedy }) => [
		[check, paint(colourOf[status], status, colours), reason],
		...(remedy === '' ? [] : [['', '', paint('dim', `-> ${remedy}`, colours)]]),
	]);
	return `${grid(['CHECK', 'STATUS', 'REASON'], rows)}\n${summary(checks)}\n`;
}

/** The shape that `ipvigil doctor --help` promises. */
export function checksJson(checks: readonly Check[]): string {
	const lines = checks.map(({ check, status, reason, remedy }) => ({ check, status, reason, remedy }));
	return `${JSON.stringify({ format: 1, exit: exits[exitOf(checks)].code, checks: lines }, undefined, 2)}\n`;
}
