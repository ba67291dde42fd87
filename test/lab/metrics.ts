/** What ipvigil's metrics say, scraped in the director's namespace as Prometheus would. */
import type { Lab } from './scenario.js';

/** The value of one series, written as the exposition has it: `name{label="value"}`; undefined where there is none. */
export async function metric(lab: Lab, series: string): Promise<number | undefined> {
	const text = await lab.exec(lab.topology.director, 'busybox', 'wget', '-qO-', 'http://127.0.0.1:9478/metrics');
	const line = text.split('\n').find((each) => each.startsWith(`${series} `));
	return line === undefined ? undefined : Number(line.slice(series.length));
}
