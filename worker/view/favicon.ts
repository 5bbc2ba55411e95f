/** The site's icon: a page of memory with one part missing. */
import { light } from './palette.ts';

export const favicon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="${light.link}"/><path fill="#fff" d="M3 3h4v4H3zM3 9h4v4H3zM9 9h4v4H9z"/><path fill="${light.heat[0]}" d="M9 3h4v4H9z"/></svg>
`;
