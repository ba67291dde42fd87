/** What `trace` says at its end, on standard error: what was seen, and what was lost where. */
import type { RecordedLosses } from '../../../capture/recording.js';
import type { Tracer } from './tracer.js';

export function summaryOf(tracer: Tracer, losses: RecordedLosses): string {
	return [tracer.summary(), ...describeLosses(losses).map((text) => `lost or left unread by ${text}`)].join('; ');
}

/** `wire: 3 ring full, 1 stranger`, for what is not zero. */
function describeLosses(losses: RecordedLosses): string[] {
	return Object.entries(losses).flatMap(([name, counts]) => {
		const lost = Object.entries(counts).filter(([, count]) => count > 0);
		if (lost.length === 0) return [];
		return [`${name}: ${lost.map(([why, count]) => `${count} ${spaced(why)}`).join(', ')}`];
	});
}

/** `ringFull` as two words. */
function spaced(name: string): string {
	return name.replace(/[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`);
}
