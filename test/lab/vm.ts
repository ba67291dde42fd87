/**
 * Starts and ends the virtual machine: QEMU with the host's root (read-only) and one writable share over 9p, no network
 * card, a serial console. It knows nothing of scenarios. A machine never outlives the process that started it.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, createWriteStream } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packInitramfs } from './initramfs.js';
import type { Kernel, Say } from './kernel.js';
import { cacheDirectory, labSources, repository } from './place.js';

const run = promisify(execFile);

/** A guest that runs says so within 2 s under KVM; a KVM that cannot run it takes up to 8 s to fail, or hangs. */
const kvmProbeLimitMs = 30_000;

export interface Machine {
	/** Written by both sides; /run/lab in the guest. */
	share: string;
	/** What QEMU ended with: 0 after a power-off. */
	ended: Promise<number>;
	kill(): void;
}

export interface BootOptions {
	kernel: Kernel;
	share: string;
	/** The serial console is this process's terminal instead of console.log in the share. */
	interactive: boolean;
	say: Say;
}

export async function boot({ kernel, share, interactive, say }: BootOptions): Promise<Machine> {
	await mkdir(share, { recursive: true });
	const initramfs = join(share, 'initramfs.cpio');
	await packInitramfs(kernel, initramfs);
	await copyFile(join(labSources, 'guest.sh'), join(share, 'guest.sh'));
	await writeFile(join(share, 'environment'), environment(kernel));
	const accelerator = (await kvmWorks(kernel, initramfs, say)) ? 'kvm' : 'tcg';
	say(`booting ${kernel.release} under ${accelerator.toUpperCase()}`);
	const qemu = start(
		[...hardware(accelerator, kernel, initramfs), ...shares(share), ...serialConsole(interactive)],
		interactive,
	);
	if (!interactive) qemu.stdout?.pipe(createWriteStream(join(share, 'console.log')));
	return { share, ended: exitCode(qemu), kill: () => qemu.kill('SIGKILL') };
}

function environment(kernel: Kernel): string {
	const values = {
		LAB_NODE: process.execPath,
		LAB_REPOSITORY: repository,
		LAB_MODULES: kernel.modules,
		LAB_TERMINAL: process.env.TERM ?? 'linux',
	};
	return Object.entries(values)
		.map(([key, value]) => `${key}='${value}'\n`)
		.join('');
}

/**
 * One CPU under emulation: QEMU 7.2 let a second one run into the kernel's half-patched code (text_poke's int3), which
 * ended one boot of 7.3 in two, and every BPF trampoline patches code again.
 */
const cpus = { kvm: '2', tcg: '1' };

/** `quiet` and no mitigations for speed under emulation; panic=-1 with -no-reboot ends QEMU instead of hanging. */
function hardware(accelerator: 'kvm' | 'tcg', kernel: Kernel, initramfs: string, extra = ''): string[] {
	const cmdline =
		'console=ttyS0 quiet loglevel=3 panic=-1 reboot=t mitigations=off nokaslr audit=0 selinux=0 apparmor=0 ' +
		`no_timer_check rcupdate.rcu_expedited=1 ${accelerator === 'tcg' ? 'tsc=reliable ' : ''}${extra}`;
	return [
		...['-accel', accelerator === 'kvm' ? 'kvm' : 'tcg,thread=multi', '-cpu', accelerator === 'kvm' ? 'host' : 'max'],
		...[
			'-M',
			'q35',
			'-smp',
			cpus[accelerator],
			'-m',
			'1024',
			'-nodefaults',
			'-no-user-config',
			'-display',
			'none',
			'-no-reboot',
		],
		...['-kernel', kernel.vmlinuz, '-initrd', initramfs, '-append', cmdline.trim()],
	];
}

function shares(share: string): string[] {
	const common = 'security_model=none,multidevs=remap';
	return [
		...['-fsdev', `local,id=root,path=/,readonly=on,${common}`, '-device', 'virtio-9p-pci,fsdev=root,mount_tag=root'],
		...['-fsdev', `local,id=share,path=${share},${common}`, '-device', 'virtio-9p-pci,fsdev=share,mount_tag=share'],
	];
}

/** In a terminal, Ctrl-A X ends the machine (qemu's monitor shares the line). */
function serialConsole(interactive: boolean): string[] {
	return interactive ? ['-serial', 'mon:stdio'] : ['-serial', 'stdio'];
}

function start(args: string[], interactive: boolean): ChildProcess {
	const qemu = spawn('qemu-system-x86_64', args, { stdio: interactive ? 'inherit' : ['ignore', 'pipe', 'pipe'] });
	const kill = () => qemu.kill('SIGKILL');
	const interrupted = () => {
		kill();
		process.exit(130);
	};
	process.once('exit', kill).once('SIGTERM', interrupted).once('SIGHUP', interrupted);
	if (!interactive) process.once('SIGINT', interrupted);
	qemu.once('close', () => {
		process.off('exit', kill).off('SIGTERM', interrupted).off('SIGHUP', interrupted).off('SIGINT', interrupted);
	});
	return qemu;
}

/** QEMU's own complaints come with a failing code: they are what a person has to read. */
function exitCode(qemu: ChildProcess): Promise<number> {
	let complaints = '';
	qemu.stderr?.on('data', (bytes: Buffer) => {
		complaints = (complaints + bytes).slice(-4096);
	});
	return new Promise((resolve, reject) => {
		qemu.once('error', (error) => reject(new Error(`qemu-system-x86_64 does not start: ${error.message}`)));
		qemu.once('close', (code, signal) => {
			if (code === 0 || signal === 'SIGKILL') resolve(code ?? 137);
			else reject(new Error(`qemu ended with ${code ?? signal}: ${complaints.trim()}`));
		});
	});
}

/**
 * Some hosts offer a /dev/kvm that cannot run a stock guest (nested paravirtual ones), so it is tried once by booting
 * as far as /init, and the answer kept for this machine, kernel and QEMU.
 */
async function kvmWorks(kernel: Kernel, initramfs: string, say: Say): Promise<boolean> {
	try {
		accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
	} catch {
		return false;
	}
	const file = join(cacheDirectory, `kvm-${await machineKey()}`);
	const known = await readFile(file, 'utf8').catch(() => undefined);
	if (known !== undefined) return known === 'works';
	say('trying whether KVM runs a stock guest here (once)');
	const works = await tryKvm(kernel, initramfs);
	await writeFile(file, works ? 'works' : 'does not work');
	return works;
}

async function machineKey(): Promise<string> {
	const facts = await Promise.all([
		readFile('/proc/version', 'utf8'),
		readFile('/etc/machine-id', 'utf8').catch(() => ''),
		run('qemu-system-x86_64', ['--version']).then(({ stdout }) => stdout),
		readFile('/proc/cpuinfo', 'utf8').then((text) => /^model name.*$/m.exec(text)?.[0] ?? ''),
	]);
	return createHash('sha256').update(facts.join('\n')).digest('hex').slice(0, 16);
}

function tryKvm(kernel: Kernel, initramfs: string): Promise<boolean> {
	const qemu = start([...hardware('kvm', kernel, initramfs, 'lab.probe'), '-serial', 'stdio'], false);
	const limit = setTimeout(() => qemu.kill('SIGKILL'), kvmProbeLimitMs);
	let text = '';
	qemu.stdout?.on('data', (bytes: Buffer) => {
		text += bytes;
		if (text.includes('lab: the kernel runs')) qemu.kill('SIGKILL');
	});
	return new Promise((resolve) => {
		const done = () => {
			clearTimeout(limit);
			resolve(text.includes('lab: the kernel runs'));
		};
		qemu.once('error', done).once('close', done);
	});
}
