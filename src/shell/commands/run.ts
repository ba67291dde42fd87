/** `ipvigil run`: the daemon. Here only its options; what it does is in daemon.ts. */
import { Command, Option } from 'commander';
import { logLevels, modes } from '../choices.js';
import type { Config } from '../config.js';

interface RunOptions {
	config?: string;
	dryRun?: true;
	mode?: Config['mode'];
	logLevel?: Config['log']['level'];
	record?: string;
}

export function makeRunCommand(): Command {
	return new Command('run')
		.description('watch the real servers, judge, and tell or act as the mode says')
		.option('-c, --config <file>', 'configuration (default: /etc/ipvigil/config.yaml where it exists)')
		.option('-n, --dry-run', 'decide everything, write nothing: no weight, no binding notification')
		.addOption(new Option('-m, --mode <mode>', 'instead of the mode in the configuration').choices(modes))
		.addOption(new Option('-l, --log-level <level>', 'instead of the level in the configuration').choices(logLevels))
		.option('--record <file>', 'record what the kernel tells and the table, in a new file, for replay')
		.addHelpText('after', explanation)
		.action(run);
}

const explanation = `
Modes:
  observe  watch, journal and run the exec hook; no monitor is asked to act and nothing is written
  notify   tell the monitors, binding notifications included; no weight is written
  assist   also take a failed server's weight to 0, under a lease

The log goes to standard output as NDJSON. SIGTERM and SIGINT end it and give every lease
back; SIGUSR2 ends it and leaves the leases to the next ipvigil, for a restart or an upgrade.`;

async function run(options: RunOptions): Promise<void> {
	const { loadConfig } = await import('../config.js');
	const config = withOptions(loadConfig(options.config), options);
	const { runDaemon } = await import('../daemon.js');
	await runDaemon(config, { dryRun: options.dryRun === true, record: options.record });
}

/** What is said on the command line counts more than what the file says. */
export function withOptions(config: Config, options: Pick<RunOptions, 'mode' | 'logLevel'>): Config {
	const level = options.logLevel ?? config.log.level;
	return { ...withMode(config, options.mode), log: { ...config.log, level } };
}

/** Of the services that have a mode of their own as well. */
export function withMode(config: Config, mode: Config['mode'] | undefined): Config {
	if (mode === undefined) return config;
	const services = Object.entries(config.services).map(([id, own]) => [id, { ...own, mode }]);
	return { ...config, mode, services: Object.fromEntries(services) };
}
