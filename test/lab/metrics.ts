/** What ipvigil's metrics say, scraped in the director's namespace as Prometheus would. */
import type { Lab } from './scenario.js';

/** One line of the exposition. */
export interface Series {
	/** As it is written, labels included. */
	text: string;
	name: string;
	labels: Record<string, string>;
	value: number;
}

export async function scrape(lab: Lab): Promise<Series[]> {
	const url = 'http://127.0.0.1:9478/metrics';
	return parseMetrics(await lab.exec(lab.topology.director, 'busybox', 'wget', '-qO-', url));
}

/** The value of one series, written as the exposition has it: `name{label="value"}`; undefined where there is none. */
export async function metric(lab: Lab, series: string): Promise<number | undefined> {
	return (await scrape(lab)).find(({ text }) => text === series)?.value;
}

/** The text format of Prometheus; no label of ours has a quote or a backslash in it. */
export function parseMetrics(exposition: string): Series[] {
	return [...exposition.matchAll(/^(([a-zA-Z_:][\w:]*)(?:\{(.*)\})?) (\S+)$/gm)].map(
		([, text = '', name = '', labels = '', value]) => ({
			text,
			name,
			labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, its]) => [label, its])),
			value: Number(value),
		}),
	);
}
