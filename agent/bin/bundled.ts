/** Where the bundle starts. */
import { main } from '../cli.ts';

main(process.argv.slice(2));
