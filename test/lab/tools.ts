/**
 * Compiles the lab's C tools on the host, where it takes a moment: the guest runs them through the shared root.
 */
import { execFile } from 'node:child_process';
import { mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildDirectory, labSources } from './place.js';

const run = promisify(execFile);
const header = join(labSources, 'tools/labtool.h');
const warnings = ['-O2', '-Wall', '-Wextra', '-Werror'];

export const labtool = join(buildDirectory, 'labtool');
/** Preloaded into a daemon to kill it at a chosen weight write: see tools/crash.c for CRASH_ON. */
export const crashLibrary = join(buildDirectory, 'crash.so');
/** Speaks to IPVS as programs without generic netlink do: see tools/setsockopt.c. */
export const setsockoptTool = join(buildDirectory, 'setsockopt');

export async function ensureTools(): Promise<void> {
	await mkdir(buildDirectory, { recursive: true });
	await compile(['labtool.c', 'serve.c', 'clients.c', 'forge.c', 'load.c'], labtool, []);
	await compile(['crash.c'], crashLibrary, ['-shared', '-fPIC', '-ldl', '-lpthread']);
	await compile(['setsockopt.c'], setsockoptTool, []);
}

async function compile(names: string[], output: string, options: string[]): Promise<void> {
	const sources = names.map((name) => join(labSources, 'tools', name));
	const written = await Promise.all([...sources, header].map((source) => stat(source)));
	const made = await stat(output).catch(() => undefined);
	if (made && written.every(({ mtimeMs }) => mtimeMs < made.mtimeMs)) return;
	const unfinished = `${output}.${process.pid}`;
	await run('cc', [...warnings, '-o', unfinished, ...sources, ...options]);
	await rename(unfinished, output);
}
