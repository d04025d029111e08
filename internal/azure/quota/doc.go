// Package quota holds requests back before Azure would refuse them.
package quota
