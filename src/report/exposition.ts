/**
 * The Prometheus text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats), written from declarations.
 *
 * A full table is more than a hundred thousand series whose labels hardly change, all read from somebody else's counts.
 * A client library would keep its own copy of each and print it label by label, several times slower and in one piece;
 * here a series is its ready label text and a number, and decisions have their turn between two metrics.
 */
import { setImmediate as othersHaveTheirTurn } from 'node:timers/promises';

export const expositionType = 'text/plain; version=0.0.4; charset=utf-8';

/** Prints one series: its labels as `labelText` gives them (empty where there are none), and its value. */
export type Sample = (labels: string, value: number) => void;

export interface Declaration<View> {
	name: string;
	/** One line, a sentence. */
	help: string;
	type: 'counter' | 'gauge';
	/** Gives each label set once. */
	read: (view: View, sample: Sample) => void;
}

export async function exposition<View>(declarations: readonly Declaration<View>[], view: View): Promise<string> {
	const parts: string[] = [];
	for (const declaration of declarations) {
		parts.push(metricText(declaration, view));
		await othersHaveTheirTurn();
	}
	return parts.join('');
}

function metricText<View>({ name, help, type, read }: Declaration<View>, view: View): string {
	let text = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
	read(view, (labels, value) => {
		text += labels ? `${name}{${labels}} ${value}\n` : `${name} ${value}\n`;
	});
	return text;
}

/** `mode="assist",place="ring"`; backslash, quote and line feed escaped. */
export function labelText(labels: Record<string, string>): string {
	return Object.entries(labels)
		.map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (one) => (one === '\n' ? '\\n' : `\\${one}`))}"`)
		.join(',');
}
