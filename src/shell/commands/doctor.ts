/**
 * `ipvigil doctor`: what this kernel and these privileges allow, line by line, and whether `run` would work. It reads
 * and loads, but attaches to no interface and writes no weight.
 */
import { Command, Option } from 'commander';
import { type Output, outputs } from '../choices.js';

interface DoctorOptions {
	output: Output;
	config?: string;
}

export function makeDoctorCommand(): Command {
	return new Command('doctor')
		.description('say what this kernel and these privileges allow, and what to do about the rest')
		.option('-c, --config <file>', 'configuration (default: /etc/ipvigil/config.yaml where it exists)')
		.addOption(new Option('-o, --output <format>', 'for people or for programs').choices(outputs).default('table'))
		.addHelpText('after', explanation)
		.action(diagnose);
}

const explanation = `
Each line is a check: "ok", "degraded" (ipvigil works with less) or "missing". The exit code is 0 where
"ipvigil run" would work, else the code that it would end with.

JSON: { "format": 1, "exit": CODE, "checks": [ { "check", "status", "reason", "remedy" } ] }.`;

async function diagnose(options: DoctorOptions): Promise<void> {
	const { loadConfig } = await import('../config.js');
	const config = loadConfig(options.config);
	const { collectChecks } = await import('./doctor/collect.js');
	const { renderChecks, checksJson } = await import('./doctor/view.js');
	const { exitOf } = await import('./doctor/check.js');
	const { exits } = await import('../errors.js');
	const { usesColour } = await import('./grid.js');
	const checks = await collectChecks(config);
	process.stdout.write(options.output === 'json' ? checksJson(checks) : renderChecks(checks, usesColour()));
	process.exitCode = exits[exitOf(checks)].code;
}
