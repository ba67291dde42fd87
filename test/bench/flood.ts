/** The sender of floods (tools/flood.c): compiled where it is used, aimed at the director from the server's side. */
import { join } from 'node:path';
import { link, type Network } from './network.js';
import { exec } from './processes.js';

/** The path of the program, made in `directory`. */
export async function buildFlood(directory: string): Promise<string> {
	const output = join(directory, 'flood');
	const source = new URL('../../../test/bench/tools/flood.c', import.meta.url).pathname;
	await exec(undefined, 'cc', '-O2', '-Wall', '-Wextra', '-Werror', '-o', output, source);
	return output;
}

/** Of the director's interface towards the server. */
export async function macTowards(network: Network): Promise<string> {
	const text = await exec(network.name('director'), 'ip', '-json', 'link', 'show', link.back);
	const [shown] = JSON.parse(text) as { address: string }[];
	return shown?.address ?? '';
}
