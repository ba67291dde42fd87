/**
 * `ipvigil hooks`: asks the ipvigil that runs here to let go of the module ip_vs, so that it can be unloaded, or to take
 * the hooks up again. Where none runs, it lets go itself of what an earlier one left pinned.
 */
import { Argument, Command } from 'commander';
import type { ReleaseRequest } from '../release-request.js';

interface HooksOptions {
	config?: string;
}

/** The daemon looks every two seconds; detaching takes a moment, on a slow machine some more. */
const releaseLimitMs = 20_000;
const lookEveryMs = 100;

export function makeHooksCommand(): Command {
	return new Command('hooks')
		.description('let go of the module ip_vs, so that it can be unloaded, or take the hooks in it up again')
		.addArgument(new Argument('<action>', 'what to do').choices(['release', 'attach']))
		.option('-c, --config <file>', 'configuration (default: /etc/ipvigil/config.yaml where it exists)')
		.addHelpText('after', explanation)
		.action(ask);
}

const explanation = `
While hooks are attached, the kernel refuses to unload ip_vs. After "release" the ipvigil that runs here
goes on with what the wire tells it, does not hear who writes weights, and holds no module. It takes the
hooks up again after "attach", or by itself when ip_vs has been unloaded and loaded anew. The wish is a
file, release-hooks in the runtime directory: it outlives a restart, not a reboot.`;

async function ask(action: 'release' | 'attach', options: HooksOptions): Promise<void> {
	const { loadConfig } = await import('../config.js');
	const { runtimeDirectory, pinDirectory } = loadConfig(options.config);
	const { ReleaseRequest } = await import('../release-request.js');
	const request = new ReleaseRequest(runtimeDirectory);
	const { isRunning } = await import('../instance.js');
	const running = await isRunning(runtimeDirectory);
	process.stdout.write(`${await carryOut(action, request, running, pinDirectory)}\n`);
}

async function carryOut(
	action: 'release' | 'attach',
	request: ReleaseRequest,
	running: boolean,
	pinDirectory: string,
): Promise<string> {
	if (action === 'attach') {
		request.withdraw();
		return running
			? 'The hooks are taken up again within two seconds.'
			: 'No ipvigil runs here; the next one attaches.';
	}
	if (running) {
		request.make();
		await released(request);
		return 'The hooks have let go: ip_vs can be unloaded once its table is empty.';
	}
	const { releasePinned } = await import('../../capture/audit.js');
	return releasePinned(pinDirectory)
		? 'No ipvigil runs here; what an earlier one left attached has let go.'
		: 'No ipvigil runs here, and none has left anything attached.';
}

/** Acknowledged, or gone with the module that it was about. @throws OperatorError */
async function released(request: ReleaseRequest): Promise<void> {
	const { bootMs } = await import('../clock.js');
	const endMs = bootMs() + releaseLimitMs;
	while (request.standing && !request.acknowledged) {
		if (bootMs() > endMs) {
			const { OperatorError } = await import('../errors.js');
			throw new OperatorError('failure', 'ipvigil has not let go yet.', 'See its log; stopping it lets go too.');
		}
		await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
	}
}
