/**
 * Compiles the lab's C tools on the host, where it takes a moment: the guest runs them through the shared root.
 */
import { execFile } from 'node:child_process';
import { mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildDirectory, labSources } from './place.js';

const run = promisify(execFile);
const warnings = ['-O2', '-Wall', '-Wextra', '-Werror'];

export const labtool = join(buildDirectory, 'labtool');
/** Preloaded into a daemon to kill it at a chosen weight write: see tools/crash.c for CRASH_ON. */
export const crashLibrary = join(buildDirectory, 'crash.so');

export async function ensureTools(): Promise<void> {
	await mkdir(buildDirectory, { recursive: true });
	await compile('labtool.c', labtool, []);
	await compile('crash.c', crashLibrary, ['-shared', '-fPIC', '-ldl', '-lpthread']);
}

async function compile(name: string, output: string, options: string[]): Promise<void> {
	const source = join(labSources, 'tools', name);
	const [made, written] = await Promise.all([stat(output).catch(() => undefined), stat(source)]);
	if (made && made.mtimeMs > written.mtimeMs) return;
	const unfinished = `${output}.${process.pid}`;
	await run('cc', [...warnings, '-o', unfinished, source, ...options]);
	await rename(unfinished, output);
}
