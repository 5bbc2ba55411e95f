/** The version of the agent, a factor of every trial. */
import manifest from '../package.json' with { type: 'json' };

export const agentVersion: string = manifest.version;
