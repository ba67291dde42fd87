/**
 * Durations as people write them on a command line, and as they read them. No clock is read here.
 */
import { OperatorError } from './errors.js';

const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
/** setTimeout knows no longer ones than 24.8 days. */
const durationMsMax = 24 * 24 * 3_600_000;

/** Reads `500ms`, `30s`, `10m` or `2h` into milliseconds. @throws OperatorError */
export function readDuration(text: string): number {
	const [, number, unit = ''] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
	const durationMs = Number(number) * (unitMs[unit] ?? 0);
	if (durationMs >= 1 && durationMs <= durationMsMax) return durationMs;
	throw new OperatorError('usage', `"${text}" is no time.`, 'Write a number and a unit: 500ms, 10s, 5m, 1h.');
}

const spans: [unit: string, ms: number][] = [
	['d', 86_400_000],
	['h', 3_600_000],
	['min', 60_000],
	['s', 1_000],
];

/** For people, in its two largest units: `2 h 5 min`, `3 min 4 s`, `12 s`, `0.4 s`, `20 ms`. */
export function spokenDuration(ms: number): string {
	if (ms < 100) return `${Math.round(ms)} ms`;
	if (ms < 9_950) return `${Math.round(ms / 100) / 10} s`;
	let rest = Math.round(ms / 1_000) * 1_000;
	const parts = spans.flatMap(([unit, spanMs]) => {
		const count = Math.floor(rest / spanMs);
		rest -= count * spanMs;
		return count > 0 ? [`${count} ${unit}`] : [];
	});
	return parts.slice(0, 2).join(' ');
}
