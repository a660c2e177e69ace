// SPDX-License-Identifier: Apache-2.0
// verdicts - one more command for the original actool: what "actool validate" says of many files, in one run
//
// Reads a path from each line of stdin, and prints for each the exit status that "actool validate PATH" would have,
// a tab, and the messages in one line. A panic is status 2, as it would be of the program.
package main

import (
	"bufio"
	"fmt"
	"io/ioutil"
	"os"
	"strings"
)

func init() {
	commands = append(commands, &Command{
		Name:        "verdicts",
		Description: "Validate each file that stdin names",
		Summary:     "Print status and messages for each file",
		Run:         runVerdicts,
	})
}

// what the messages go to instead of stderr
func captured(f *os.File) string {
	text, err := ioutil.ReadFile(f.Name())
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.Seek(0, 0)
	}
	if err != nil {
		fmt.Println("verdicts:", err)
		os.Exit(3)
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

func verdict(path string) (status int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintln(os.Stderr, "panic:", p)
			status = 2
		}
	}()
	return runValidate([]string{path})
}

func runVerdicts(args []string) int {
	messages, err := ioutil.TempFile("", "verdicts")
	if err != nil {
		fmt.Println("verdicts:", err)
		return 3
	}
	defer os.Remove(messages.Name())
	os.Stderr = messages
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	paths := bufio.NewScanner(os.Stdin)
	for paths.Scan() {
		status := verdict(paths.Text())
		fmt.Fprintf(out, "%d\t%s\n", status, captured(messages))
	}
	return 0
}
