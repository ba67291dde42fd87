/** The version, from the package.json that lies beside dist/ in a source tree and in an installed package alike. */
import { readFileSync } from 'node:fs';

export function version(): string {
	const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
	const { version } = JSON.parse(text) as { version: string };
	return version;
}

/** The commit that was built, where the packager said so (IPVIGIL_COMMIT); a source tree does not know. */
export function commit(): string {
	return process.env.IPVIGIL_COMMIT ?? 'unknown';
}
