/**
 * Fetches the stock Debian kernels that the lab boots, from the archive's own signed lists, into the user's cache.
 * It works with an apt state of its own (sources, lists, cache, an empty package status), so the machine's
 * sources and packages are neither read nor changed. What is present is used without the network. It boots nothing.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from './place.js';

const run = promisify(execFile);

export type KernelName = '6.1' | '6.12' | '7';

export interface Kernel {
	name: KernelName;
	/** What `uname -r` says in the guest. */
	release: string;
	vmlinuz: string;
	/** Holds modules.dep and the modules; becomes /lib/modules/RELEASE in the guest. */
	modules: string;
}

export type Say = (sentence: string) => void;

/**
 * The suites that offer each series, in order of preference. Old versions leave the archive, so the version is
 * always read from the metapackage of the day, never written here.
 */
const suites: Record<KernelName, string[][]> = {
	'6.1': [['bookworm', 'bookworm-security']],
	'6.12': [['trixie', 'trixie-security'], ['bookworm-backports']],
	'7': [['trixie-backports'], ['sid']],
};

export const kernelNames: KernelName[] = ['6.1', '6.12', '7'];

/** Drivers that no guest of ours has hardware for: four fifths of the modules, left unpacked. */
const unneeded = [
	'sound',
	...['gpu', 'media', 'staging', 'infiniband', 'usb', 'scsi', 'iio', 'input', 'hwmon', 'hid'].map(
		(d) => `drivers/${d}`,
	),
	...['net/wireless', 'net/ethernet', 'mtd', 'platform', 'video', 'mfd', 'power', 'nvme', 'md'].map(
		(d) => `drivers/${d}`,
	),
];

/** apt asks the archive for 100 MB at most; an hour is a very slow line, not a hang. */
const downloadLimitMs = 3_600_000;

/** Answers from the cache, or fetches. Safe to be called by several processes: each unpacks apart and renames. */
export async function ensureKernel(name: KernelName, say: Say): Promise<Kernel> {
	return (await cachedKernel(name)) ?? (await fetchKernel(name, say));
}

/** Undefined where the kernel was never fetched whole: kernel.json is inside a directory that is renamed into place. */
export async function cachedKernel(name: KernelName): Promise<Kernel | undefined> {
	const directory = join(cacheDirectory, 'kernels', name);
	const text = await readFile(join(directory, 'kernel.json'), 'utf8').catch(() => undefined);
	if (text === undefined) return undefined;
	const { release, vmlinuz } = JSON.parse(text) as { release: string; vmlinuz: string };
	return { name, release, vmlinuz: join(directory, vmlinuz), modules: join(directory, 'lib/modules', release) };
}

async function fetchKernel(name: KernelName, say: Say): Promise<Kernel> {
	const work = join(cacheDirectory, `fetch-${name}-${process.pid}`);
	await removeAbandoned(name);
	try {
		const failures: string[] = [];
		for (const choice of suites[name]) {
			const apt = await openApt(join(work, 'apt'), choice);
			say(`kernel ${name}: reading the lists of ${choice.join(', ')}`);
			await apt.run(['update']);
			const packages = await packagesOf(apt, name);
			if (packages.length > 0) return await install(name, apt, packages, work, say);
			failures.push(choice.join(', '));
		}
		throw new Error(`no linux-image-amd64 of series ${name} in ${failures.join(' or ')}: the archive has moved on`);
	} finally {
		await rm(work, { recursive: true, force: true });
	}
}

/** What a killed fetch left behind, told by its process id, is not gone on with: 100 MB are quickly fetched again. */
async function removeAbandoned(name: KernelName): Promise<void> {
	for (const entry of await readdir(cacheDirectory).catch(() => [])) {
		const pid = new RegExp(`^fetch-${name}-(\\d+)$`).exec(entry)?.[1];
		if (pid !== undefined && !existsSync(`/proc/${pid}`)) await rm(join(cacheDirectory, entry), { recursive: true });
	}
}

interface Apt {
	directory: string;
	run(args: string[], tool?: 'apt-get' | 'apt-cache'): Promise<string>;
}

/** An apt that knows only the given suites, verifies them by Debian's keyring and takes nothing to be installed. */
async function openApt(directory: string, choice: string[]): Promise<Apt> {
	await rm(directory, { recursive: true, force: true });
	await mkdir(join(directory, 'lists/partial'), { recursive: true });
	await mkdir(join(directory, 'archives/partial'), { recursive: true });
	await writeFile(join(directory, 'status'), '');
	await writeFile(join(directory, 'sources.list'), choice.map(sourceLine).join('\n'));
	await writeFile(join(directory, 'apt.conf'), aptConfiguration(directory) + (await machineProxies()));
	const env = { ...process.env, APT_CONFIG: join(directory, 'apt.conf'), LC_ALL: 'C' };
	return {
		directory,
		async run(args, tool = 'apt-get') {
			const limits = { env, cwd: directory, timeout: downloadLimitMs, maxBuffer: 64 << 20 };
			return (await run(tool, ['-q', ...args], limits)).stdout;
		},
	};
}

function sourceLine(suite: string): string {
	const mirror = process.env.IPVIGIL_DEBIAN_MIRROR || 'http://deb.debian.org';
	const archive = suite.endsWith('-security') ? 'debian-security' : 'debian';
	// Debian 13 calls its keyring .pgp.
	const keyring = ['gpg', 'pgp']
		.map((ending) => `/usr/share/keyrings/debian-archive-keyring.${ending}`)
		.find(existsSync);
	return `deb [arch=amd64 signed-by=${keyring}] ${mirror}/${archive} ${suite} main`;
}

/** APT_CONFIG is read before the machine's own files, so those are told to be elsewhere too. */
function aptConfiguration(directory: string): string {
	return [
		`Dir::State "${directory}";`,
		`Dir::State::lists "${directory}/lists";`,
		`Dir::State::status "${directory}/status";`,
		`Dir::Cache "${directory}";`,
		`Dir::Cache::archives "${directory}/archives";`,
		`Dir::Etc::sourcelist "${directory}/sources.list";`,
		'Dir::Etc::sourceparts "/dev/null";',
		'Dir::Etc::preferences "/dev/null";',
		'Dir::Etc::preferencesparts "/dev/null";',
		'Dir::Etc::main "/dev/null";',
		'Dir::Etc::parts "/dev/null";',
		'APT::Architecture "amd64";',
		'APT::Architectures { "amd64"; };',
		'APT::Sandbox::User "root";',
		'Acquire::Languages "none";',
		'Acquire::Retries "3";',
		'',
	].join('\n');
}

/** The one thing that the machine's own apt knows better: how it reaches the archive. */
async function machineProxies(): Promise<string> {
	const { stdout } = await run('apt-config', ['dump', 'Acquire']);
	return stdout.replaceAll(/^(?!Acquire::https?::Proxy).*\n/gm, '');
}

/**
 * The names of all packages that carry the kernel. Up to 6.12 that is linux-image-RELEASE alone; 7.x splits
 * it into linux-binary-, linux-modules- and linux-base-RELEASE. Empty where the suite offers another series.
 */
async function packagesOf(apt: Apt, name: KernelName): Promise<string[]> {
	const shown = await apt.run(['show', '--no-all-versions', 'linux-image-amd64'], 'apt-cache').catch(() => '');
	const image = /^Depends:.*?\b(linux-image-(\d+\.\d+)[^ ,]*-amd64)\b/m.exec(shown);
	const series = image?.[2];
	if (!image?.[1] || !series || !(series === name || series.startsWith(`${name}.`))) return [];
	const depends = await apt.run(
		['depends', '--recurse', '--no-suggests', '--no-recommends', '--no-breaks', image[1]],
		'apt-cache',
	);
	const release = image[1].replace('linux-image-', '');
	const names = new Set(depends.split('\n').filter((line) => /^linux-\S+$/.test(line) && line.endsWith(release)));
	return [...names].filter((each) => /^linux-(image|binary|modules|base)-/.test(each));
}

async function install(name: KernelName, apt: Apt, packages: string[], work: string, say: Say): Promise<Kernel> {
	const stopProgress = await progress(apt, packages, name, say);
	await apt.run(['download', ...packages]).finally(stopProgress);
	say(`kernel ${name}: unpacking ${packages.join(', ')}`);
	const tree = join(work, 'tree');
	await mkdir(tree);
	// 7.x installs below /usr, 6.x below /: one place for both.
	await symlink('.', join(tree, 'usr'));
	for (const file of await readdir(apt.directory))
		if (file.endsWith('.deb')) await unpack(join(apt.directory, file), tree);
	const [release] = await readdir(join(tree, 'lib/modules'));
	if (!release) throw new Error(`${packages.join(', ')} hold no modules: the archive's packaging has changed`);
	await run('/sbin/depmod', ['-b', tree, release]);
	const vmlinuz = [`boot/vmlinuz-${release}`, `lib/modules/${release}/vmlinuz`].find((path) =>
		existsSync(join(tree, path)),
	);
	if (!vmlinuz) throw new Error(`${packages.join(', ')} hold no vmlinuz: the archive's packaging has changed`);
	await writeFile(join(tree, 'kernel.json'), JSON.stringify({ release, vmlinuz }));
	await mkdir(join(cacheDirectory, 'kernels'), { recursive: true });
	// A second process may have been quicker: its tree is as good as ours.
	await rename(tree, join(cacheDirectory, 'kernels', name)).catch(() => undefined);
	const kernel = await cachedKernel(name);
	if (!kernel) throw new Error(`kernel ${name} could not be moved to ${cacheDirectory}/kernels`);
	say(`kernel ${name}: ${release} is ready`);
	return kernel;
}

async function unpack(file: string, tree: string): Promise<void> {
	const excludes = unneeded.map((folder) => `--exclude='*/kernel/${folder}'`).join(' ');
	const pipe = `dpkg-deb --fsys-tarfile '${file}' | tar -x --keep-directory-symlink --no-same-owner ${excludes} -C '${tree}'`;
	await run('bash', ['-c', `set -o pipefail; ${pipe}`], { timeout: downloadLimitMs });
	await rm(file);
}

/** Says every few seconds how much has come. apt names unfinished files in `partial`, so only whole ones are unpacked. */
async function progress(apt: Apt, packages: string[], name: KernelName, say: Say): Promise<() => void> {
	const shown = await apt.run(['show', '--no-all-versions', ...packages], 'apt-cache');
	const total = [...shown.matchAll(/^Size: (\d+)$/gm)].reduce((sum, match) => sum + Number(match[1]), 0);
	const megabytes = (bytes: number) => Math.round(bytes / 1e6);
	say(`kernel ${name}: fetching ${megabytes(total)} MB (${packages.join(', ')})`);
	const timer = setInterval(async () => {
		const bytes = (await bytesIn(apt.directory)) + (await bytesIn(join(apt.directory, 'archives/partial')));
		say(`kernel ${name}: ${megabytes(Math.min(bytes, total))} of ${megabytes(total)} MB`);
	}, 5_000);
	return () => clearInterval(timer);
}

async function bytesIn(directory: string): Promise<number> {
	const names = (await readdir(directory).catch(() => [])).filter((name) => name.includes('.deb'));
	const sizes = await Promise.all(
		names.map((name) =>
			stat(join(directory, name)).then(
				(found) => found.size,
				() => 0,
			),
		),
	);
	return sizes.reduce((sum, size) => sum + size, 0);
}
