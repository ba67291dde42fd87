/**
 * Packs the lab's initramfs: static busybox, the modules that reach the host's files over 9p, and initramfs.sh as /init.
 * 4 MB, made anew for each boot in a fraction of a second.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { Kernel } from './kernel.js';
import { labSources } from './place.js';

const run = promisify(execFile);

/** Those a kernel has built in are simply not in its modules.dep. */
const wanted = ['virtio_pci', '9pnet_virtio', '9p', 'overlay'];

export async function packInitramfs(kernel: Kernel, output: string): Promise<void> {
	const tree = `${output}.d`;
	await mkdir(join(tree, 'bin'), { recursive: true });
	await mkdir(join(tree, 'modules'));
	await copyFile('/bin/busybox', join(tree, 'bin/busybox'));
	await copyFile(join(labSources, 'initramfs.sh'), join(tree, 'init'));
	await run('chmod', ['755', join(tree, 'init'), join(tree, 'bin/busybox')]);
	const files = moduleOrder(await readFile(join(kernel.modules, 'modules.dep'), 'utf8'), wanted);
	for (const [index, file] of files.entries()) {
		const name = basename(file).replace(/\.(xz|zst)$/, '');
		await unpackModule(join(kernel.modules, file), join(tree, 'modules', `${String(index).padStart(2, '0')}-${name}`));
	}
	await pack(tree, output);
	await rm(tree, { recursive: true });
}

/**
 * Files of the wanted modules with all they depend on, each before its users. A line of modules.dep reads
 * `file: dependency dependency`, the dependencies complete and the deepest last (depmod(8)).
 */
export function moduleOrder(modulesDep: string, names: string[]): string[] {
	const lines = modulesDep.split('\n').map((line) => line.split(/:? /).map((word) => word.replace(/:$/, '')));
	const order: string[] = [];
	for (const name of names) {
		const line = lines.find(([file]) => file !== undefined && moduleName(file) === name);
		for (const file of (line ?? []).filter(Boolean).reverse()) if (!order.includes(file)) order.push(file);
	}
	return order;
}

/** The kernel takes - and _ in a module's name for the same. */
function moduleName(file: string): string {
	return basename(file)
		.replace(/\.ko.*$/, '')
		.replaceAll('-', '_');
}

async function unpackModule(from: string, to: string): Promise<void> {
	const tool = from.endsWith('.xz') ? 'xz' : from.endsWith('.zst') ? 'zstd' : undefined;
	if (!tool) return copyFile(from, to);
	const unpacker = spawn(tool, ['-dc', from], { stdio: ['ignore', 'pipe', 'inherit'] });
	await pipeline(unpacker.stdout, createWriteStream(to));
}

async function pack(tree: string, output: string): Promise<void> {
	const packer = spawn('bash', ['-c', 'set -o pipefail; find . | cpio --quiet -o -H newc -R 0:0'], {
		cwd: tree,
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	const [[code]] = await Promise.all([once(packer, 'close'), pipeline(packer.stdout, createWriteStream(output))]);
	if (code !== 0) throw new Error(`cpio ended with ${code}: is it installed?`);
}
