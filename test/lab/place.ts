/**
 * Where the lab keeps things. Kernels and the answer to "does KVM work here" outlive a checkout and lie in the user's
 * cache; compiled tools and the results of runs belong to this tree and lie in build/lab.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout: this file is compiled to dist/test/lab/. */
export const repository = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

/** Sources that are not compiled by tsc: shell scripts and C tools. */
export const labSources = join(repository, 'test/lab');

export const buildDirectory = join(repository, 'build/lab');

export const cacheDirectory = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ipvigil/lab');
